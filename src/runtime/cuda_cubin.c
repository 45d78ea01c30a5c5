#include "runtime/cuda_cubin.h"

#include <elf.h>
#include <string.h>

static const char text_prefix[] = ".text.";

struct cubin {
	const char *bytes;
	size_t len;
	Elf64_Ehdr head;
	Elf64_Shdr names; /* the section of section names */
};

static bool section_at(const struct cubin *c, unsigned i, Elf64_Shdr *ret)
{
	size_t at = c->head.e_shoff + (size_t)i * sizeof *ret;

	if (i >= c->head.e_shnum || c->head.e_shoff > c->len || at > c->len - sizeof *ret)
		return false;
	memcpy(ret, c->bytes + at, sizeof *ret);
	return true;
}

static bool cubin_open(const void *bytes, size_t len, struct cubin *ret)
{
	struct cubin c = { .bytes = bytes, .len = len };

	if (len < sizeof c.head + sizeof c.names)
		return false;
	memcpy(&c.head, bytes, sizeof c.head);
	if (memcmp(c.head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    c.head.e_ident[EI_CLASS] != ELFCLASS64 || c.head.e_shentsize != sizeof c.names)
		return false;
	if (!section_at(&c, c.head.e_shstrndx, &c.names) || c.names.sh_offset > len ||
	    c.names.sh_size > len - c.names.sh_offset || c.names.sh_size == 0 ||
	    c.bytes[c.names.sh_offset + c.names.sh_size - 1] != '\0')
		return false;
	*ret = c;
	return true;
}

static const char *name_of(const struct cubin *c, const Elf64_Shdr *s)
{
	return s->sh_name < c->names.sh_size ? c->bytes + c->names.sh_offset + s->sh_name : "";
}

/* The i-th section's entry name; "" where it is no code; NULL past the end. */
static const char *entry_at(const struct cubin *c, unsigned i)
{
	const char *name;
	Elf64_Shdr s;

	if (!section_at(c, i, &s))
		return NULL;
	name = name_of(c, &s);
	if (strncmp(name, text_prefix, sizeof text_prefix - 1) != 0)
		return "";
	return name + sizeof text_prefix - 1;
}

bool cubin_has_entry(const void *bytes, size_t len, const char *name)
{
	const char *entry;
	struct cubin c;

	if (!*name || !cubin_open(bytes, len, &c))
		return false;
	for (unsigned i = 0; (entry = entry_at(&c, i)); i++)
		if (strcmp(entry, name) == 0)
			return true;
	return false;
}

void cubin_list_entries(const void *bytes, size_t len, struct str *ret)
{
	const char *entry, *separator = "";
	struct cubin c;

	if (!cubin_open(bytes, len, &c))
		return;
	for (unsigned i = 0; (entry = entry_at(&c, i)); i++) {
		if (!*entry)
			continue;
		str_addf(ret, "%s%s", separator, entry);
		separator = ", ";
	}
}

uint64_t cubin_state_bytes(const void *bytes, size_t len)
{
	static const char prefix[] = ".nv.global";
	uint64_t sum = 0;
	Elf64_Shdr s;
	struct cubin c;

	if (!cubin_open(bytes, len, &c))
		return 0;
	for (unsigned i = 0; section_at(&c, i, &s); i++)
		if ((s.sh_flags & SHF_WRITE) &&
		    strncmp(name_of(&c, &s), prefix, sizeof prefix - 1) == 0)
			sum += s.sh_size;
	return sum;
}
