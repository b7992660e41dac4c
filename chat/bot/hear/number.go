package hear

import (
	"slices"
	"strconv"
	"strings"
)

// number is one that a text names.
type number struct {
	value    float64
	from, to int // tokens
	weak     bool
}

// maxNumber is beyond what any form asks for; longer runs of digits are telephone and card numbers.
const maxNumber = 1e9

// numbers finds the numbers of a text, in digits and in words: 67, 2,000, 2k, sixty-seven, 六十七, 3万.
func (l *lexicon) numbersIn(ts []token) []number {
	var out []number
	for i := 0; i < len(ts); {
		n, ok := l.numberAt(ts, i)
		if !ok {
			i++
			continue
		}
		if n.value < maxNumber && !l.partOfWord(ts, n) {
			out = append(out, n)
		}
		i = n.to
	}
	return out
}

// partOfWord: 一 and 两 belong to words such as 一个人 and 一直.
func (l *lexicon) partOfWord(ts []token, n number) bool {
	if n.to-n.from != 1 || !ts[n.from].han || n.to >= len(ts) {
		return false
	}
	return slices.Contains([]string{"起", "直", "样", "般", "共", "些", "点", "下", "定", "边"}, ts[n.to].text)
}

func (l *lexicon) numberAt(ts []token, i int) (number, bool) {
	n := number{from: i, to: i}
	t := ts[i]
	switch {
	case endsInDigit(t.text):
		v, err := strconv.ParseFloat(strings.ReplaceAll(t.text, ",", ""), 64)
		if err != nil {
			return n, false
		}
		n.value, n.to = v, i+1
		for n.to < len(ts) && ts[n.to].clause == t.clause {
			unit, ok := l.numbers[ts[n.to].text]
			if !ok || unit < 100 {
				break
			}
			n.value *= unit
			n.to++
		}
		return n, true
	case t.han:
		return l.hanNumber(ts, i)
	}
	if _, ok := l.numbers[t.text]; !ok || t.text == "k" {
		return n, false
	}
	// English in words: groups of hundreds, closed by thousand and million.
	total, group := 0.0, 0.0
	for n.to < len(ts) {
		w := ts[n.to].text
		if w == "and" && n.to+1 < len(ts) && n.to > i && group >= 100 {
			if u, ok := l.numbers[ts[n.to+1].text]; ok && u < 100 && !ts[n.to+1].han {
				n.to++
				continue
			}
		}
		unit, ok := l.numbers[w]
		if !ok || ts[n.to].han || ts[n.to].clause != t.clause && !(unit < 10 && group >= 20) {
			break
		}
		switch {
		case unit >= 1000:
			total, group = total+max(group, 1)*unit, 0
		case unit == 100:
			group = max(group, 1) * 100
		case group > 0 && !(group >= 100 && int(group)%100 == 0 || group >= 20 && int(group)%10 == 0 && unit < 10):
			n.value, n.weak = total+group, true
			return n, true
		default:
			group += unit
		}
		n.to++
	}
	n.value = total + group
	n.weak = n.to-n.from == 1 && n.value == 1 // "one" is mostly no number
	return n, true
}

// hanNumber reads 六十七, 两千, 一万五, 三百零五.
func (l *lexicon) hanNumber(ts []token, i int) (number, bool) {
	n := number{from: i, to: i}
	total, section, digit, last := 0.0, 0.0, -1.0, 1.0
	for n.to < len(ts) && ts[n.to].han {
		v, ok := l.numbers[ts[n.to].text]
		if !ok {
			break
		}
		switch {
		case v == 10000:
			total = (total + section + max(digit, 0)) * v
			if total == 0 {
				return n, false
			}
			section, digit, last = 0, -1, v
		case v >= 10:
			if digit < 0 {
				digit = 1
				if v > 10 {
					return n, false // 百 and 千 alone belong to other words
				}
			}
			section += digit * v
			digit, last = -1, v
		case v == 0:
			digit, last = -1, 1
			if n.to == i {
				digit = 0
			}
		default:
			if digit >= 0 { // 二〇二六, or two numbers: not what is asked for
				digit = digit*10 + v
			} else {
				digit = v
			}
		}
		n.to++
	}
	if n.to == i {
		return n, false
	}
	if digit > 0 && last >= 100 && total+section > 0 { // 一万五 is 15,000
		digit *= last / 10
	}
	n.value = total + section + max(digit, 0)
	n.weak = n.to-n.from == 1 && (n.value == 1 || ts[i].text == "两")
	return n, true
}

// nearly reports whether a number is not reached yet: "almost 65".
func (l *lexicon) nearlyAt(ts []token, n number) bool {
	for _, s := range l.nearly {
		for gap := 0; gap <= 1; gap++ {
			if at := n.from - len(s) - gap; at >= 0 && slices.Equal(texts(ts[at:at+len(s)]), s) && ts[at].clause == ts[n.from].clause {
				return true
			}
		}
	}
	return false
}
