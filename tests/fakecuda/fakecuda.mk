# The stand-in for libcuda.so.1; LD_LIBRARY_PATH=$(B)/tests/fakecuda makes the program find it.
STANDIN := $(B)/tests/fakecuda/libcuda.so.1
STANDIN_SRC := $(sort $(wildcard tests/fakecuda/*.c)) src/runtime/verify.c src/runtime/dtype.c

$(STANDIN): $(STANDIN_SRC) tests/fakecuda/fakecuda.h src/runtime/cuda_driver.h src/runtime/verify.h
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -Itests/fakecuda -fPIC -fvisibility=hidden \
		$(LDFLAGS) -shared -Wl,-soname,libcuda.so.1 -o $@ $(STANDIN_SRC) -lm

# It loads the stand-in when it runs.
$(B)/tests/unit_cuda: | $(STANDIN)
