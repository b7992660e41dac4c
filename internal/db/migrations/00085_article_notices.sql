-- Whoever of the staff changes an article tells those whom it concerns, in other agencies too, and in the transaction of the change: a text waits for
-- the hotline's reviewer, a correction that an operator filed is settled. Such a notice names an article that there is, and no ticket.

-- +goose Up
create policy notification_article on notifications for insert to hotline_app with check (
  (select actor_kind()) = 'staff' and ticket_id is null and starts_with(type, 'article_')
      and exists (select from articles a where a.id = (data->>'article')::uuid)
);

-- +goose Down
drop policy notification_article on notifications;
