package knowledge

import (
	"context"
	"errors"

	"hotline/internal/errs"
)

// Errors of what a search goes to, where it names none of its own.
var (
	ErrEngineSlow  = errs.New(errs.Unavailable, "knowledge.engine_slow", "the search engine takes too long")
	ErrEngineFails = errs.New(errs.Unavailable, "knowledge.engine_fails", "the search engine fails")
	ErrModelSlow   = errs.New(errs.Unavailable, "knowledge.model_slow", "the model for meaning vectors takes too long")
	ErrModelFails  = errs.New(errs.Unavailable, "knowledge.model_fails", "the model for meaning vectors fails")
)

// Fault says why the engine or the model does not answer; the zero value is that of one that does.
type Fault struct {
	Code  string // of the catalogue's errors
	Cause string // technical, for who looks into it
}

// faultOf tells an operator about an error.
func faultOf(err error, slow, fails *errs.Error) Fault {
	if err == nil {
		return Fault{}
	}
	var e *errs.Error
	switch {
	case errors.As(err, &e):
		if cause := errors.Unwrap(e); cause != nil {
			err = cause
		}
		return Fault{Code: e.Code, Cause: err.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return Fault{Code: slow.Code, Cause: err.Error()}
	}
	return Fault{Code: fails.Code, Cause: err.Error()}
}
