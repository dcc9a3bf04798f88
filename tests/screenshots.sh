#!/usr/bin/env bash
# Takes pictures of the window's views on displays of its own, in both themes and two sizes, so that somebody can look at them:
# screenshots.sh PROGRAM FOLDER [GROUP…]. Groups are the functions below whose names begin with group_; all where none is named.
# THEMES, SIZES and CAPTURE in the environment choose others; NEPHOSCOPE_SETTLE is how many seconds the window gets to draw.
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
captures=$here/captures
settle=${NEPHOSCOPE_SETTLE:-0.8}
capture=$(realpath "${CAPTURE:-$here/../assets/sample/icloud-2011-reconstruction.pcapng}")

# ---- What a group does with its window

# Starts the program with these arguments and waits until its window is there, as large as its display.
start() {
	"$program" "$@" 2>>"$work/window.log" & window=$!
	local id='' _
	for _ in $(seq 100); do
		id=$(xdotool search --onlyvisible --name "[Nn]ephoscope" 2>/dev/null | head -n 1) || true
		[ -n "$id" ] && break
		kill -0 "$window" 2>/dev/null || { echo "the program ended before its window came:" >&2; tail -n 3 "$work/window.log" >&2; exit 1; }
		sleep 0.1
	done
	[ -n "$id" ] || { echo "no window came" >&2; exit 1; }
	# No window manager runs here, so nobody else makes the window as large as its display, or gives it the keyboard.
	xdotool windowmove "$id" 0 0 windowsize "$id" "${size%x*}" "${size#*x}" mousemove "${size%x*}" "${size#*x}"
	sleep 2
	xdotool windowfocus "$id"
	sleep "$settle"
}

stop() {
	kill "$window" 2>/dev/null || true
	wait "$window" 2>/dev/null || true
}

# Presses keys, one after the other.
keys() {
	local key
	for key in "$@"; do xdotool key "$key"; sleep 0.2; done
	sleep "$settle"
}

text() { xdotool type --delay 25 "$1"; sleep "$settle"; }

# Moves the pointer there, from the left edge and the top; presses the button of this number where one is given.
point() {
	xdotool mousemove "$1" "$2"
	sleep 0.3
	[ $# -lt 3 ] || { xdotool mousedown "$3"; sleep 0.2; xdotool mouseup "$3"; }
	sleep "$settle"
}

# Does what the palette finds by this name.
act() { keys ctrl+p; text "$1"; keys Return; }

# Shows only these rows, and selects the first.
only() { keys ctrl+f ctrl+a; text "$1"; keys Return; point 600 160 1; point "${size%x*}" "${size#*x}"; }

picture() {
	import -window root "$folder/$1-$theme-$size.png"
	echo "$folder/$1-$theme-$size.png"
}

# ---- The groups

group_start() {
	start
	picture start
	keys ctrl+k
	picture start-capture
	keys Escape ctrl+shift+o
	picture start-path
	stop
}

group_panes() {
	start "$capture"
	picture list-unselected
	only 'path:IMG_0044'
	keys ctrl+shift+f
	picture evidence
	local tab number=1
	for tab in path readings body connection frames; do
		number=$((number + 1))
		keys "ctrl+$number"
		picture "pane-$tab"
	done
	keys ctrl+3 ctrl+b
	picture pane-readings-broken
	keys ctrl+1 ctrl+j
	picture list-folded
	keys ctrl+shift+t
	picture tree
	act 'Fit all'
	picture tree-fitted
	stop
}

group_filter() {
	start "$capture"
	keys ctrl+f
	picture filter-empty
	text 'operator:'
	picture filter-completion
	text 'azu status>=200'
	picture filter-meaning
	keys ctrl+a BackSpace
	text 'host:blob status>=abc'
	picture filter-error
	keys Escape ctrl+shift+f ctrl+f
	text 'host:nobody.example'
	keys Return
	picture filter-nothing
	keys ctrl+shift+f ctrl+shift+h
	text 'operator:azure'
	picture highlight
	stop
}

group_dialogs() {
	start "$capture"
	only 'path:IMG_0044'
	keys ctrl+shift+f
	keys ctrl+comma
	picture preferences
	keys Escape F1
	picture keys
	keys Escape ctrl+p
	picture palette
	text 'pic'
	picture palette-typed
	keys Escape ctrl+shift+e
	picture export
	keys Escape ctrl+k
	picture capture
	keys Escape ctrl+alt+c
	picture comment
	text 'The first write of this picture'
	keys ctrl+Return Return ctrl+m
	picture noted
	keys ctrl+g
	picture frame
	keys Escape
	act 'Header line as column'
	picture header-column
	keys Escape F6
	picture verify-path
	keys Escape
	act 'Save some'
	picture save-some
	stop
	rm -f "$work"/home/*.nephoscope.json
}

group_rows() {
	start "$capture"
	keys Home shift+Down shift+Down shift+Down
	picture rows-several
	keys ctrl+m ctrl+alt+2 Down Down ctrl+d F9 Down Down ctrl+alt+5
	picture rows-noted
	keys ctrl+shift+e
	picture export-selected
	stop
	rm -f "$work"/home/*.nephoscope.json
}

group_menus() {
	start "$capture"
	only 'path:IMG_0044'
	keys ctrl+shift+f
	point 330 220 3
	picture menu-row
	keys Escape
	point 330 126 3
	picture menu-column
	keys Escape
	point $((${size%x*} - 36)) 22 1
	picture menu
	keys Escape
	point 700 212
	sleep 1
	picture tooltip
	stop
}

group_stream() {
	start "$capture"
	only 'path:IMG_0044'
	keys ctrl+alt+shift+t
	picture stream
	keys ctrl+f
	text 'x-ms'
	picture stream-find
	stop
}

group_findings() {
	start "$capture"
	keys F3
	picture findings
	stop
}

group_compare() {
	start "$captures/compare-a.pcap" "$captures/compare-b.pcap"
	sleep 1
	picture two-files
	# A button of the dialog in the middle.
	point $((${size%x*} / 2 + 104)) $((${size#*x} / 2 + 96)) 1
	sleep 1
	picture compare
	point 150 282 3
	picture compare-menu
	stop
}

group_picture() {
	start "$capture"
	only 'path:IMG_0044'
	keys shift+F11 F11
	sleep 4
	picture compose
	point 640 400 1
	picture compose-clicked
	stop
}

group_verify() {
	local shot=$work/home/picture.png
	"$program" shot --exchange 14 --out "$shot" "$capture" 2>/dev/null
	start "$shot" "$capture"
	sleep 1
	picture verify
	stop
	start "$shot"
	sleep 1
	picture verify-alone
	stop
}

group_keys() {
	start "$captures/tls-keys-13.pcapng"
	keys Home
	picture decrypted
	stop
	start "$captures/quic-keys.pcapng"
	keys Home Down
	picture decrypted-quic
	stop
}

group_websocket() {
	start "$captures/websocket.pcap"
	keys Home
	keys ctrl+7
	picture pane-messages
	stop
}

group_har() {
	start "$captures/har-chrome.har"
	keys Home
	picture har
	keys ctrl+6
	picture har-frames
	stop
}

group_dns() {
	start "$captures/dns-udp.pcap"
	keys Home
	picture dns
	keys ctrl+5
	picture dns-connection
	stop
}

group_broken() {
	start "$captures/file-header-only.pcap"
	picture empty
	stop
	start "$captures/ng-broken-middle.pcapng"
	keys Home
	picture damaged
	stop
	start "$captures/ng-drops.pcapng"
	keys Home
	picture drops
	stop
	start "$captures/har-cut.har"
	picture cut
	stop
	start "$captures/har-empty.har"
	picture empty-har
	stop
	start "$captures/nothing.pcap"
	picture missing
	stop
}

group_waterfall() {
	# The column is hidden at first; what is kept between runs shows it.
	mkdir -p "$work/data/nephoscope"
	printf '{"desk": "{\\"hidden\\":[\\"Server\\",\\"Type\\",\\"Duration\\",\\"Tenant\\",\\"Process\\",\\"Comment\\",\\"Agreement\\"]}"}\n' >"$work/data/nephoscope/app.ron"
	start "$capture"
	picture waterfall
	stop
}

group_large() {
	printf 'text_percent = 150\n' >>"$work/nephoscope/preferences.toml"
	start "$capture"
	keys Home Down Down
	picture large
	keys F3
	picture large-findings
	keys F11
	picture large-compose
	keys F2 ctrl+comma
	picture large-preferences
	stop
}

# Needs the right to capture; says so where there is none.
group_live() {
	local port=18080 server
	(cd "$work/home" && exec python3 -m http.server --bind 127.0.0.1 "$port") >/dev/null 2>&1 & server=$!
	start -i lo -k -f "tcp port $port"
	local path
	for path in / /nothing /a.css /b.js; do
		(exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET %s HTTP/1.0\r\nHost: test.example\r\n\r\n' "$path" >&3 && cat <&3) >/dev/null 2>&1 || true
	done
	sleep 1
	keys F9
	point 600 250 1
	picture live
	keys ctrl+e
	picture live-stopped
	keys ctrl+q
	picture live-unsaved
	stop
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
}

# ---- One display for each group, theme and size

if [ "${1:-}" = --inside ]; then
	program=$2 folder=$3 theme=$4 size=$5 group=$6
	# Folders of its own: what the user saved neither shows nor changes.
	work=$(mktemp -d)
	trap 'kill "${window:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
	mkdir -p "$work/nephoscope" "$work/home"
	printf '[window]\ntheme = "%s"\n' "$theme" >"$work/nephoscope/preferences.toml"
	# Notes are kept beside a capture: they go with a copy.
	cp "$capture" "$work/home/"
	capture=$work/home/$(basename "$capture")
	export HOME=$work/home XDG_CONFIG_HOME=$work XDG_DATA_HOME=$work/data XDG_CACHE_HOME=$work/cache LIBGL_ALWAYS_SOFTWARE=1
	unset WAYLAND_DISPLAY
	"group_$group"
	exit 0
fi

program=$(realpath "$1") folder=$2
shift 2
mkdir -p "$folder"
folder=$(realpath "$folder")
groups=("$@")
[ ${#groups[@]} -gt 0 ] || mapfile -t groups < <(declare -F | sed -n 's/^declare -f group_//p')
for group in "${groups[@]}"; do
	declare -F "group_$group" >/dev/null || { echo "there is no group $group" >&2; exit 2; }
	for size in ${SIZES:-1280x800 2560x1440}; do
		for theme in ${THEMES:-dark light}; do
			CAPTURE=$capture xvfb-run -a -s "-screen 0 ${size}x24 -noreset" "$0" --inside "$program" "$folder" "$theme" "$size" "$group"
		done
	done
done
