#!/usr/bin/env bash
# submit/quickstart.sh [--data DIR]
#
# From a fresh clone to a trained model, its result table and a report, with a JDK 17 and Maven:
# builds, prepares a dataset, trains with two executor processes, and asks the tables by SQL. The
# dataset is drawn (synthetic), or the CIFAR-10 or CIFAR-100 binaries in DIR, of which 5000 images
# are used.
set -euo pipefail

fail() {
  echo "quickstart: $*" >&2
  exit 2
}

say() {
  echo "── $*" >&2
}

count() {
  cat "$@" | wc -c
}

data=
case ${1:-} in
  '') ;;
  --data)
    [ $# -eq 2 ] || fail "--data takes one directory"
    data=$(cd "$2" 2>/dev/null && pwd) || fail "--data $2: no such directory"
    ;;
  -h | --help)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
    exit 0
    ;;
  *) fail "unknown argument $1; usage: submit/quickstart.sh [--data DIR]" ;;
esac

javac=${JAVA_HOME:+$JAVA_HOME/bin/}javac
command -v "$javac" >/dev/null ||
  fail "$javac not found: install a JDK 17 (Debian, Ubuntu: apt-get install openjdk-17-jdk-headless)"
version=$("$javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
[ "$version" = 17 ] ||
  fail "$(command -v "$javac") is JDK ${version:-unknown}, but MixTraining needs 17: install a JDK 17 and point JAVA_HOME at it"
command -v mvn >/dev/null ||
  fail "mvn not found: install Maven 3.8 or newer (Debian, Ubuntu: apt-get install maven)"

cd "$(dirname "$0")/.."
run=quickstart-$(date +%Y%m%d-%H%M%S)
options=(--conf conf/quickstart.conf -D "run.id=$run")

if [ -n "$data" ]; then
  # A CIFAR-10 record is a label and 3072 pixels; CIFAR-100 has two labels.
  if [ -f "$data/data_batch_1.bin" ]; then
    format=cifar10 images=$(($(count "$data"/data_batch_*.bin) / 3073))
  elif [ -f "$data/train.bin" ]; then
    format=cifar100 images=$(($(count "$data/train.bin") / 3074))
  else
    fail "--data $data: neither data_batch_1.bin (CIFAR-10) nor train.bin (CIFAR-100) is in it"
  fi
  options+=(-D "data.format=$format" -D "data.source=$data" -D "data.path=data/quickstart-$format")
  [ "$images" -le 5000 ] || options+=(-D "data.fraction=$(awk "BEGIN { print 5000 / $images }")")
fi

if [ -z "$(find pom.xml src -newer target/mixtraining.jar -print -quit 2>&1)" ]; then
  say "built already"
else
  say "building (a minute; the first time Maven also downloads about 700 MB)"
  mvn -q -B -ntp package -DskipTests
fi

say "preparing the dataset"
submit/mixtraining prepare --force "${options[@]}"

say "training run $run"
submit/mixtraining train "${options[@]}"

say "the run's epochs"
submit/mixtraining sql "${options[@]}" -e "
  select epoch, phase, objective, cast(train_loss as decimal(9, 4)) as train_loss,
         cast(100 * train_accuracy as decimal(4, 1)) as train_percent,
         cast(100 * validation_accuracy as decimal(4, 1)) as validation_percent,
         cast(100 * test_accuracy as decimal(4, 1)) as test_percent,
         cast(seconds as decimal(9, 1)) as seconds
  from epochs where run_id = '$run' order by epoch"

say "the run's report"
submit/mixtraining report "${options[@]}" --run "$run" -o "runs/$run.html"

cat >&2 <<END

report         $PWD/runs/$run.html
configuration  $PWD/conf/quickstart.conf
result tables  $PWD/runs/tables (Parquet)
ask them       submit/mixtraining sql -e "select * from epochs where run_id = '$run'"
train again    submit/mixtraining train --conf conf/quickstart.conf -D epochs.sl=20
END
