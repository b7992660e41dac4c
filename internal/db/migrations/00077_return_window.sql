-- +goose Up
-- A ticket that is handed over inside a tree gives whoever gets it time to sign, and no new window to return it to the hotline: that stays the window
-- of the hotline's dispatch. null: no hand-over since, and the window is the time to sign.
alter table tickets add return_until timestamptz;

-- +goose Down
alter table tickets drop return_until;
