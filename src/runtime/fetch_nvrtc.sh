#!/bin/sh
# Fetches NVRTC and CUDA's headers from PyPI into build/nvrtc, where the program looks for them, on
# machines that have no CUDA toolkit. --if-needed: only where there is an NVIDIA device; both
# options: only where no NVRTC is found. Failing to fetch is not fatal: the program says what it
# misses.
set -eu
cd "$(dirname "$0")/../.."
case ${1:-} in
--if-needed) [ -e /dev/nvidiactl ] || exit 0 ;;
--if-missing | '') ;;
*)
	echo "usage: fetch_nvrtc.sh [--if-needed|--if-missing]" >&2
	exit 2
	;;
esac
if [ -n "${1:-}" ]; then
	for f in /usr/local/cuda*/lib64/libnvrtc.so* /usr/local/cuda*/targets/*/lib/libnvrtc.so* \
		/usr/lib/*/libnvrtc.so* build/nvrtc/nvidia/*/lib/libnvrtc.so*; do
		[ -e "$f" ] && exit 0
	done
	ldconfig -p 2>/dev/null | grep -q libnvrtc.so && exit 0
fi
python3 -m pip --version >/dev/null 2>&1 || {
	echo "no NVRTC found and no pip to fetch it with: install a CUDA toolkit or python3-pip" >&2
	exit 1
}
echo "fetching NVRTC from PyPI into build/nvrtc"
python3 -m pip install --quiet --no-deps --upgrade --target build/nvrtc \
	'nvidia-cuda-nvrtc==13.*' 'nvidia-cuda-runtime==13.*' 'nvidia-cuda-crt==13.*' 'nvidia-cuda-cccl==13.*'
