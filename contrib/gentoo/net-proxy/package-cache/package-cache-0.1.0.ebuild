# Distributed under the terms of the GNU General Public License, version 3 or later

EAPI=8

inherit shell-completion systemd tmpfiles

DESCRIPTION="A caching proxy for package downloads"
HOMEPAGE="https://package-cache.example.org/"
SRC_URI="${P}.tgz"
S="${WORKDIR}/package"

LICENSE="GPL-3+ ISC MIT"
SLOT="0"
KEYWORDS="~amd64 ~arm64"
RESTRICT="fetch strip"
# koffi's native part is as its makers built it.
QA_PREBUILT="usr/lib*/package-cache/build/native/*"

BDEPEND="acct-group/package-cache"
IDEPEND="
	acct-group/package-cache
	acct-user/package-cache
"
RDEPEND="
	${IDEPEND}
	>=net-libs/nodejs-24.12
"

pkg_nofetch() {
	einfo "npm ci && npm pack, in a checkout of package-cache ${PV}, makes ${A}."
	einfo "Put it into DISTDIR."
}

src_prepare() {
	default
	# The tarball serves all machines, and this image one.
	local machine=$(usex arm64 arm64 x64) foreign=$(usex elibc_musl linux musl)
	find build/native -path "*/koffi-linux-*" ! -path "*/koffi-linux-${machine}*" -delete || die
	rm -r build/native/@koromix/*/"${foreign}"_* || die
}

src_install() {
	local library="/usr/$(get_libdir)/package-cache" program firewall
	insinto "${library}"
	doins -r build package.json
	for program in package-cache package-cache-ctl; do
		fperms +x "${library}/build/${program}.js"
		dosym -r "${library}/build/${program}.js" "/usr/bin/${program}"
	done

	doman contrib/man/*
	dodoc README.md CHANGELOG.md
	newbashcomp contrib/completion/package-cache-ctl.bash package-cache-ctl
	dozshcomp contrib/completion/_package-cache-ctl
	dofishcomp contrib/completion/package-cache-ctl.fish

	newinitd contrib/openrc/package-cache package-cache
	newconfd etc/conf.d/package-cache package-cache
	# UPSTREAM_PROXY may hold a password; the daemon reads the file again as its own user.
	fowners root:package-cache /etc/conf.d/package-cache
	fperms 0640 /etc/conf.d/package-cache
	systemd_dounit contrib/systemd/package-cache{,@}.service contrib/systemd/package-cache.socket
	newtmpfiles contrib/systemd/package-cache.tmpfiles package-cache.conf
	insinto /etc/logrotate.d
	doins contrib/logrotate/package-cache
	for firewall in iptables nftables; do
		exeinto "/usr/share/package-cache/${firewall}"
		doexe "contrib/${firewall}/package-cache-dnat"
	done
	insinto /usr/share/package-cache
	doins -r contrib/avahi contrib/clients
}

pkg_postinst() {
	tmpfiles_process package-cache.conf
}
