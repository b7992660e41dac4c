package api

import "hotline/chat/bot"

// Emergency finds danger to life in what is filed, so that the answer can carry the number to call; it is *bot.Emergency.
type Emergency interface {
	Detect(text string) (bot.Service, bool)
	Number(s bot.Service) string
	Message(s bot.Service, lang string) bot.Message
}
