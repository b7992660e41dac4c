package main

import (
	"context"
	"io"
)

func benchmark(ctx context.Context, args []string, out io.Writer) error { return nil }
