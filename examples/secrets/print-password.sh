#!/bin/sh
# Prints the password of the account for $1 and nothing else. A real script asks
# a password store here, for instance: exec pass show "polardb/$1"
printf 'only for the emulator: %s\n' "$1"
