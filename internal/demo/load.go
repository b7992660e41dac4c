package demo

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/city"
)

// Load puts the city into an empty installation, all or nothing, and reports whether it did: one that has reference data is left alone.
// passwordHash is given to every user. Errors: those of the database.
func Load(ctx context.Context, pool *pgxpool.Pool, c city.City, passwordHash string) (loaded bool, err error) {
	p, err := city.Import(ctx, pool, c, city.Options{OnlyEmpty: true, PasswordHash: passwordHash})
	if err != nil {
		return false, fmt.Errorf("demo city: %w", err)
	}
	return !p.Empty(), nil
}
