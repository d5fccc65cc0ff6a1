# Distributed under the terms of the GNU General Public License, version 3 or later

EAPI=8

inherit acct-user

DESCRIPTION="User for net-proxy/package-cache"
ACCT_USER_ID=-1
ACCT_USER_GROUPS=( ${PN} )

acct-user_add_deps
