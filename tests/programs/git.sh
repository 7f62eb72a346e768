# git: commits, merges, clone, gc, fsck of a repository made here; then of this one.
# timeout: 240
. "$(dirname "$0")/common"
need git
need perl
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org \
    GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org \
    GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000'
git config --global init.defaultBranch main
git config --global pack.threads 2
git config --global gc.auto 0
git config --global safe.directory '*'

cat >fill.pl <<'X'
my ($dir, $round) = @ARGV; my $x = 7 + $round;
sub rnd { $x = ($x * 1103515245 + 12345) & 0x7fffffff; return $x >> 8 }
for my $f (0 .. 149) {
    next if $round && rnd() % 4;
    mkdir "$dir/d" . $f % 12;
    open my $o, '>', "$dir/d" . $f % 12 . "/f$f" or die;
    srand; print $o "line $_ of file $f: ", ($_ % 17 == $round ? rnd() : $_ * $f), "\n" for 1 .. 200 + $f * 5;
}
X
cat >story.sh <<'X'
set -e
dir=$1
git init -q "$dir"
for round in 0 1 2 3 4 5; do
    perl fill.pl "$dir" $round
    git -C "$dir" add -A
    git -C "$dir" commit -q -m "round $round"
done
git -C "$dir" checkout -q -b side HEAD~3
echo side >"$dir/side"
git -C "$dir" add -A
git -C "$dir" commit -q -m side
git -C "$dir" checkout -q main
git -C "$dir" merge -q -m merge side
git -C "$dir" log --stat --format='%H %T %s'
git -C "$dir" diff HEAD~4 | cksum
git -C "$dir" blame d3/f3 | cksum
git clone -q --no-local --bare "$dir" "$dir.clone"
git -C "$dir.clone" gc -q --aggressive --prune=now
git -C "$dir.clone" fsck --full --strict
git -C "$dir.clone" rev-list --objects --all | sort | cksum
git -C "$dir.clone" archive HEAD | cksum
git -C "$dir" gc -q
git -C "$dir" grep -c 'line 1[0-9]* of' | cksum
rm -rf "$dir" "$dir.clone"
X
both story sh story.sh repository
loaded git

if git -C "$top" rev-parse -q --verify HEAD >/dev/null 2>&1; then
    cat >own.sh <<'X'
set -e
git clone -q --no-local --bare "$1" own
git -C own gc -q --prune=now
git -C own fsck --full 2>&1
git -C own rev-list --objects --all | sort
git -C own log -p --stat | cksum
rm -rf own
X
    both own sh own.sh "$top"
fi
