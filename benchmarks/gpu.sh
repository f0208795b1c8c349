#!/usr/bin/env bash
# All that one GPU must measure, in about ten minutes: bash benchmarks/gpu.sh
#
# Killed at any time it goes on where it was: what has its result is not measured again, and
# trainings resume. Settings, as in `DEVICE=cpu SEEDS=0 STEPS=20 bash benchmarks/gpu.sh`, which only
# tries the way:
#   PYTHON  the interpreter (.venv/bin/python)     DATA   a data set; made if not given
#   DEVICE  cuda                                   RUNS   where trainings go (runs/gpu)
#   OUT     where results go (results/scaling)     SEEDS  of LeWorldModel's recipe ("0 1 2")
#   STEPS   of it (5500, the whole)                RECIPE its preset (lewm)
#   LIMIT_S no other seed is begun after so many seconds (600)
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python} DEVICE=${DEVICE:-cuda}
RUNS=${RUNS:-runs/gpu} OUT=${OUT:-results/scaling} SEEDS=${SEEDS:-0 1 2}
STEPS=${STEPS:-5500} RECIPE=${RECIPE:-lewm} LIMIT_S=${LIMIT_S:-600}
mkdir -p "$OUT"

if [ -z "${DATA:-}" ]; then
  DATA=data/reacher
  "$PYTHON" run_agent.py collect --out "$DATA"
fi

[ -e "$OUT/gpu_training.json" ] ||
  "$PYTHON" -m benchmarks.gpu training --device "$DEVICE" --data "$DATA" --json "$OUT/gpu_training.json"
[ -e "$OUT/gpu_planning.json" ] ||
  "$PYTHON" -m benchmarks.gpu planning --device "$DEVICE" --json "$OUT/gpu_planning.json"

for seed in $SEEDS; do
  run="$RUNS/$RECIPE-$seed" result="$OUT/gpu_$RECIPE-$seed.json"
  [ -e "$result" ] && continue
  if [ "$SECONDS" -gt "$LIMIT_S" ]; then
    echo "$LIMIT_S s are over: run this again for seed $seed and later"
    break
  fi
  resume=()
  [ -e "$run/training_state" ] && resume=(--resume)
  "$PYTHON" run_agent.py train --preset "$RECIPE" --data "$DATA" --out "$run" --seed "$seed" \
    --steps "$STEPS" --device "$DEVICE" --precision bfloat16 "${resume[@]}"
  "$PYTHON" run_agent.py evaluate --controller lewm --checkpoint "$run/checkpoint" --protocol lewm \
    --episodes 50 --batch 50 --device "$DEVICE" --json "$result"
done
