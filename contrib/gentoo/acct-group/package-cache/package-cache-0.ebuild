# Distributed under the terms of the GNU General Public License, version 3 or later

EAPI=8

inherit acct-group

DESCRIPTION="Group for net-proxy/package-cache"
ACCT_GROUP_ID=-1
