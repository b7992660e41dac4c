package errs_test

import (
	"errors"
	"fmt"
	"testing"

	"hotline/internal/errs"
)

func TestWrappedErrorKeepsKindAndCode(t *testing.T) {
	t.Parallel()
	stale := errs.New(errs.Conflict, "tickets.stale", "someone else changed the ticket")
	err := fmt.Errorf("apply: %w", stale.With("version", 3).Wrap(errors.New("row 7")))
	if errs.KindOf(err) != errs.Conflict || errs.CodeOf(err) != "tickets.stale" {
		t.Fatalf("kind %q code %q", errs.KindOf(err), errs.CodeOf(err))
	}
	if !errors.Is(err, stale) {
		t.Fatal("errors.Is does not find the error by its code")
	}
	if stale.Args != nil {
		t.Fatal("With changed the shared value")
	}
	if errs.KindOf(errors.New("x")) != errs.Internal || errs.KindOf(nil) != "" {
		t.Fatal("foreign errors are internal, nil is none")
	}
}
