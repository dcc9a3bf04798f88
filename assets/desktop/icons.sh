#!/usr/bin/env bash
# Draws the PNG icons from the two SVG files beside it (needs rsvg-convert, of Debian's librsvg2-bin).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
for size in 16 24 32; do rsvg-convert -w "$size" -h "$size" nephoscope-small.svg -o "icons/$size.png"; done
for size in 48 64 128 256 512; do rsvg-convert -w "$size" -h "$size" nephoscope.svg -o "icons/$size.png"; done
