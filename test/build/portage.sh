# Runs an ebuild's phases as Portage would, with the few helpers it uses: sourced by bash with
# EBUILD, S (the unpacked tarball), D (the image), PV and USE set. Each fails when a file is missing.
set -euo pipefail

P=package-cache-$PV
A=$P.tgz
WORKDIR=${S%/*}
into=/

die() { echo "die: $*" >&2; exit 1; }
inherit() { inherited="$*"; }
default() { :; }
einfo() { echo "$*"; }
get_libdir() { echo lib64; }
usex() { if [[ " $USE " == *" $1 "* ]]; then echo "$2"; else echo "$3"; fi; }
lay() { install -D -m "$1" "$2" "$D$3/${4:-${2##*/}}"; }

insinto() { into=$1; }
exeinto() { into=$1; }
doins() {
	[[ $1 != -r ]] || { shift; mkdir -p "$D$into"; cp -r "$@" "$D$into/"; return; }
	local file
	for file; do lay 644 "$file" "$into"; done
}
doexe() { lay 755 "$1" "$into"; }
fperms() { chmod "$1" "$D$2"; }
fowners() { [[ -e $D$2 ]] && echo "$1 $2"; }
dosym() { [[ $1 == -r && -e $D$2 ]] && mkdir -p "$D${3%/*}" && ln -sr "$D$2" "$D$3"; }
doman() {
	local file
	for file; do lay 644 "$file" "/usr/share/man/man${file##*.}"; done
}
dodoc() {
	local file
	for file; do lay 644 "$file" "/usr/share/doc/$P"; done
}
newbashcomp() { lay 644 "$1" /usr/share/bash-completion/completions "$2"; }
dozshcomp() { lay 644 "$1" /usr/share/zsh/site-functions; }
dofishcomp() { lay 644 "$1" /usr/share/fish/vendor_completions.d; }
newinitd() { lay 755 "$1" /etc/init.d "$2"; }
newconfd() { lay 644 "$1" /etc/conf.d "$2"; }
systemd_dounit() {
	local file
	for file; do lay 644 "$file" /usr/lib/systemd/system; done
}
newtmpfiles() { lay 644 "$1" /usr/lib/tmpfiles.d "$2"; }
tmpfiles_process() { [[ -e $D/usr/lib/tmpfiles.d/$1 ]]; }

wanted=$S
source "$EBUILD"
# With a helper of an eclass that is not inherited, Portage would not know it.
[[ $inherited == 'shell-completion systemd tmpfiles' && $EAPI == 8 && $S == "$wanted" ]]
cd "$S"
for phase in src_prepare src_install pkg_postinst; do "$phase"; done
pkg_nofetch
