# Layers: an include may reach its own room or one to the left, each outside library has the owners
# named here, and some functions of libc stay out.
BEGIN {
	split("base runtime tuner/search tuner/task tuner/worker tuner/daemon tuner/cli", order, " ")
	for (i in order)
		rank[order[i]] = i + 0
	own["uv.h"] = "^src/tuner/daemon/"
	own["sqlite3.h"] = "^src/tuner/daemon/store[a-z_]*[.][ch]$"
	own["sql.h"] = "^src/tuner/daemon/store[a-z_]*[.][ch]$"
	own["cjson/cJSON.h"] = "^src/base/json[.]h$"
	own["sha2.h"] = "^src/base/hash[.]c$"
	own["zlib.h"] = own["lzma.h"] = "^src/base/unpack[.]c$"
	own["dlfcn.h"] = "^src/runtime/"
	pure["time.h"] = pure["unistd.h"] = pure["fcntl.h"] = pure["base/clock.h"] = 1
	pure["base/file.h"] = pure["base/log.h"] = pure["sys/time.h"] = 1
	banned = "(^|[^a-z_])(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|system|popen|rand|srand|tmpnam|mktemp|alloca)[(]"
}
function room_of(path) {
	sub(/^src\//, "", path)
	sub(/\/[^\/]*$/, "", path)
	return path
}
/^#[ \t]*include/ {
	target = $2
	gsub(/[<>"]/, "", target)
	from = room_of(FILENAME)
	to = room_of(target)
	if ((to in rank) && rank[to] > rank[from])
		complain(from " may not include " target)
	if ((target in own) && FILENAME !~ own[target])
		complain(target " belongs to " own[target])
	if (from == "tuner/search" && (target in pure))
		complain("search is pure: no " target)
	next
}
$0 ~ banned && $0 !~ /^[ \t]*(\/?\*|\/\/)/ { complain("banned function: " $0) }
function complain(what) {
	print FILENAME ":" FNR ": " what
	bad = 1
}
END { exit bad }
