# The stand-in for libnvidia-ml.so.1; only tests that put its folder on the loader's path have it.
STANDIN_NVML := $(B)/tests/fakenvml/libnvidia-ml.so.1

$(STANDIN_NVML): tests/fakenvml/fakenvml.c
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden \
		$(LDFLAGS) -shared -Wl,-soname,libnvidia-ml.so.1 -o $@ $<

tests: $(STANDIN_NVML)
