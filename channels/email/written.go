package email

import (
	"regexp"
	"strings"
)

// What mail programs put between an answer and what it quotes. Whoever writes in another language loses nothing: the quote stays.
var (
	// "-----Original Message-----", "------------------ 原始邮件 ------------------"
	originalLine = regexp.MustCompile(`(?i)^[-_=*\s]{2,}\s*(original message|original appointment|forwarded message|原始邮件|原邮件|原始信件|轉寄郵件|转发的邮件|回复的原邮件|回复的邮件信息|ursprüngliche nachricht|message d.origine|mensaje original|mensagem original|messaggio originale|исходное сообщение|元のメッセージ|원본 메시지)\s*[-_=*\s]{2,}$`)
	// "On Tue, 3 Nov 2026 at 10:00, Hotline <…> wrote:", "Hotline <…> 于2026年11月3日周二 10:00写道："
	attribution = regexp.MustCompile(`(?i)^.{3,300}(wrote|writes|schrieb.{0,80}|a écrit|escribió|escreveu|ha scritto|skrev.{0,80}|napisał\S*|написал\S*|写道|寫道|のメール)\s*[:：]$`)
	// Outlook: "From: …" and, a line or two later, "Sent: …"
	fromLine = regexp.MustCompile(`(?i)^[*\s]*(from|von|de|da|van|от|发件人|寄件者|寄件人|差出人|보낸 사람)[*\s]*[:：]\s*\S`)
	sentLine = regexp.MustCompile(`(?i)^[*\s]*(sent|date|gesendet|datum|envoyé|enviado|fecha|inviato|verzonden|отправлено|дата|发送时间|发送日期|日期|时间|寄件日期|送信日時|보낸 날짜)[*\s]*[:：]\s*\S`)
	mobile   = regexp.MustCompile(`(?i)^(sent from my .{2,40}|sent from (outlook|mail|yahoo mail|proton mail).{0,60}|get outlook for .{2,20}|von meinem .{2,40} gesendet|envoyé de(puis)? mon .{2,40}|发自我的.{1,30}|從我的.{1,30}傳送|来自我的.{1,30}|发送自.{1,40}|从我的.{1,30}发送|获取\s*outlook.{0,40})$`)
)

// written cuts a text down to what its writer typed: the signature, the phone's advertisement, and in an answer what is quoted below it. Nothing is cut
// that would leave nothing.
func written(text string, answers bool) string {
	lines := strings.Split(text, "\n")
	if answers {
		lines = above(lines)
	}
	lines = unsigned(lines)
	if out := strings.TrimSpace(strings.Join(lines, "\n")); out != "" {
		return out
	}
	return strings.TrimSpace(text)
}

// above is what stands over the quoted message.
func above(lines []string) []string {
	for i, l := range lines {
		l = strings.TrimSpace(l)
		two := l
		if i+1 < len(lines) {
			two = l + " " + strings.TrimSpace(lines[i+1])
		}
		if originalLine.MatchString(l) || attribution.MatchString(l) || attributionOverTwo(l, two) || fromLine.MatchString(l) && sentSoon(lines[i+1:]) {
			if attribution.MatchString(l) && !endsInQuote(lines[i+1:]) {
				continue // answered between the quoted lines
			}
			return withoutRule(lines[:i])
		}
	}
	if i := quoteAtEnd(lines); i > 0 {
		return lines[:i]
	}
	return lines
}

// attributionOverTwo: long ones are wrapped.
func attributionOverTwo(first, both string) bool {
	return both != first && strings.ContainsAny(first, "@<,") && attribution.MatchString(both) && !attribution.MatchString(first) && len(both) > 40
}

// endsInQuote reports whether nothing of the person's own follows: all is quoted, or nothing is marked as a quote at all.
func endsInQuote(lines []string) bool {
	marked, own := 0, 0
	for _, l := range lines {
		switch l = strings.TrimSpace(l); {
		case strings.HasPrefix(l, ">"):
			marked++
		case l != "":
			own++
		}
	}
	return marked == 0 || own == 0
}

func sentSoon(lines []string) bool {
	for _, l := range lines[:min(len(lines), 4)] {
		if sentLine.MatchString(l) {
			return true
		}
	}
	return false
}

// withoutRule drops the line that Outlook draws over its block.
func withoutRule(lines []string) []string {
	for i := len(lines) - 1; i >= 0; i-- {
		l := strings.TrimSpace(lines[i])
		if l != "" && strings.Trim(l, "_-=") != "" {
			return lines[:i+1]
		}
	}
	return nil
}

// quoteAtEnd finds where lines that begin with ">" run to the end, the line that introduces them included; -1 without any.
func quoteAtEnd(lines []string) int {
	start := -1
	for i := len(lines) - 1; i >= 0; i-- {
		l := strings.TrimSpace(lines[i])
		if strings.HasPrefix(l, ">") {
			start = i
		} else if l != "" {
			break
		}
	}
	if start < 0 {
		return -1
	}
	for i := start - 1; i >= 0; i-- {
		l := strings.TrimSpace(lines[i])
		if l == "" {
			continue
		}
		if strings.HasSuffix(l, ":") || strings.HasSuffix(l, "：") {
			return i
		}
		break
	}
	return start
}

// unsigned drops what follows the line of two dashes (RFC 3676, section 4.3) and what phones add by themselves.
func unsigned(lines []string) []string {
	for i := len(lines) - 1; i >= max(0, len(lines)-20); i-- {
		if l := strings.TrimRight(lines[i], " \r"); l == "--" {
			lines = lines[:i]
			break
		}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		l := strings.TrimSpace(lines[i])
		if l == "" {
			continue
		}
		if mobile.MatchString(l) {
			return lines[:i]
		}
		break
	}
	return lines
}
