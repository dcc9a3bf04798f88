#!/usr/bin/env bash
# Takes a picture of the window on a display of its own: screenshots.sh PROGRAM CAPTURE FOLDER
set -euo pipefail
program=$(realpath "$1") capture=$(realpath "$2") folder=$3
mkdir -p "$folder"
folder=$(realpath "$folder")

# The inner part runs inside xvfb-run: start the window, wait until it is mapped and has drawn, take the picture.
inner='
set -u
"$1" "$2" & window=$!
for _ in $(seq 100); do
	xwininfo -root -tree 2>/dev/null | grep -qi nephoscope && break
	kill -0 "$window" 2>/dev/null || { echo "the program ended before its window came" >&2; exit 1; }
	sleep 0.1
done
# No window manager runs here, so nobody else makes the window as large as its display.
id=$(xdotool search --onlyvisible --name "[Nn]ephoscope" | head -n 1)
[ -n "$id" ] && xdotool windowmove "$id" 0 0 windowsize "$id" ${4/x/ }
sleep "${NEPHOSCOPE_SETTLE:-3}"
import -window root "$3"
kill "$window" 2>/dev/null
wait "$window" 2>/dev/null
exit 0
'
# A configuration folder of its own: what the user saved neither shows nor changes.
settings=$(mktemp -d)
trap 'rm -rf "$settings"' EXIT
for size in 1440x900 1024x700; do
	env -u WAYLAND_DISPLAY XDG_CONFIG_HOME="$settings" XDG_DATA_HOME="$settings" LIBGL_ALWAYS_SOFTWARE=1 \
		xvfb-run -a -s "-screen 0 ${size}x24" bash -c "$inner" inner "$program" "$capture" "$folder/window-$size.png" "$size"
	echo "$folder/window-$size.png"
done
