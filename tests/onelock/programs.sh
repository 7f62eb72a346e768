# programs: Python, Perl and Git run on the one-lock allocator; so does a fork in threads.
# timeout: 400
set -eu
cd "$(dirname "$0")/../.."
LIB="$LIB" TEST_OUT=build/tests/onelock/programs JOBS=1 sh tests/run tests/programs/perl.sh \
    tests/programs/git.sh tests/programs/python.sh tests/programs/python-fork.sh
