package app

import (
	"context"
	"time"
)

// Times of calibrating. Whether a round is due is in the database; a base that has no stored question to learn from is not walked again at once.
const (
	calibrationEvery = time.Minute      // how old a node's thresholds may be
	calibrateRest    = 10 * time.Minute // between two rounds, whatever is due
)

// followCalibration keeps this node's thresholds up to what was learned and is wanted.
func (a *App) followCalibration(ctx context.Context) {
	for {
		if err := a.Knowledge.LoadCalibration(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("calibration", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(calibrationEvery):
		}
	}
}

// calibrate, on one node, learns how sure the scores are: after articles came or went, and once a day.
func (a *App) calibrate(ctx context.Context) {
	for {
		pause := calibrationEvery
		due, err := a.Knowledge.CalibrationDue(ctx)
		if err == nil && due {
			pause = calibrateRest
			err = a.Knowledge.Calibrate(ctx)
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("calibration", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}
