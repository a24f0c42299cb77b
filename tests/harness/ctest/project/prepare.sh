#!/bin/sh
echo prepared >"$1"
