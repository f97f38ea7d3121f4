#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# blocker.sh LOG LIST INTERFACE
# What people write before they know better, and have cron run: the last rejects of this hour
# in the mail log are counted for each client, and who has too many is blocked for good. LIST
# holds who has been. A part of tests/bench.
log=$1 list=$2 interface=$3
limit=5

touch "$list"
tail -n 400 "$log" | grep "^$(date '+%b %e %H:')" | grep 'reject:' |
    sed 's/.* from [^[]*\[\([^]]*\)\].*/\1/' | sort | uniq -c |
    while read -r count address; do
	if grep -qxF "$address" "$list"; then
		continue
	elif [ "$count" -lt "$limit" ]; then
		echo "$address is fine ($count)"
		continue
	fi
	echo "$address is blocked ($count)"
	case $address in
	*:*) iptables=ip6tables ;;
	*) iptables=iptables ;;
	esac
	$iptables -w -I INPUT -i "$interface" -p tcp -s "$address" --dport 25 -j DROP &&
	    echo "$address" >>"$list"
done
