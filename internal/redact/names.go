package redact

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Chinese family names: those of about nine in ten people, and the double ones.
const (
	surnames = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
	doubles  = "欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台|皇甫|宗政|濮阳|公冶|太叔|申屠|公孙|慕容|仲孙|钟离|长孙|宇文|司徒|鲜于|司空|令狐|西门|南门"
	// notInName are characters that begin the next words rather than end a given name.
	notInName = "想要是在的来今有住我你他她它们和与及就也都还没不能会该请问说家因为被把从对向给让这那个了吗呢吧啊呀，。"
	// latinName is one to four words with capitals, with what stands between them in names.
	latinName = `(` + latinWord + `(?:[ \t]+(?:van|von|der|den|de|di|da|del|la|le|el|al|bin|ibn|y|und|zu)\b)*(?:[ \t]+` + latinWord + `){0,3})`
	latinWord = `(?:\p{Lu}\.|\p{Lu}[\p{Latin}'’-]*)`
)

var (
	hanName = `((?:` + doubles + `|[` + surnames + `])\p{Han}{1,2})`

	// What people put before their own name. One-word names count only where the words before leave no doubt.
	saidSure = []*regexp.Regexp{
		regexp.MustCompile(`(?:我叫做?|我的名字[是叫]|名字[是叫:：]\s*|姓名\s*[:：是为]?\s*|本人姓名|署名\s*[:：]?\s*|联系人\s*[:：是为]?\s*|投诉人\s*[:：是为]?\s*|举报人\s*[:：是为]?\s*)\s*` + hanName),
		regexp.MustCompile(`(?:我叫做?|我的名字[是叫]|姓名\s*[:：])\s*(\p{Han}{2,4})(?:[，,。.；;！!\s]|$)`),
		regexp.MustCompile(`(?i:\bmy (?:full )?name(?: is|'s|’s|:)|\bi am called|\bi'm called|\bcalled me|\bname\s*:|\bsigned,?|\b(?:kind |best )?regards,?|\bsincerely,?|\bmein name ist|\bich hei(?:ß|ss)e|\bje m'appelle|\bme llamo|\bmi chiamo)\s*` + latinName),
		regexp.MustCompile(`\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herr|Frau|Mme|Sr|Sra)\.?\s+` + latinName),
		regexp.MustCompile(`(?i:\bmy name is|\bmy name's|\bi am called)\s+([\p{Latin}'’-]{2,20}(?:\s+[\p{Latin}'’-]{2,20})?)\s*(?:[,.;!?\n]|$)`),
		regexp.MustCompile(`(?:我叫做?|我的名字是|我是)\s*` + latinName),
	}
	// Weaker words need a name that ends there, or two words of it.
	saidMaybe = []*regexp.Regexp{
		regexp.MustCompile(`(?:我是|本人|我姓名|敝人)` + hanName + `(?:[，,。.；;！!、\s]|$)`),
		regexp.MustCompile(`(?i:\bi am|\bi'm|\bi’m|\bthis is|\bhere is)\s+(\p{Lu}[\p{Latin}'’-]+(?:[ \t]+` + latinWord + `){1,2})`),
	}
	// honorific is a family name in front of a form of address; only the name goes.
	honorific = regexp.MustCompile(`((?:` + doubles + `|[` + surnames + `])\p{Han}{0,2}?)(?:先生|女士|小姐|太太|同志|师傅|阿姨|大爷|大妈|老师|医生|大夫)`)
	mySurname = regexp.MustCompile(`我姓(` + doubles + `|\p{Han})`)
)

// saidNames gives the names that a text says are somebody's.
func saidNames(text string) []string {
	var out []string
	add := func(name string) {
		name = strings.TrimRight(strings.TrimSpace(name), ".-'’")
		if hasHan(name) {
			name = trimHan(name)
		}
		if utf8.RuneCountInString(name) >= 2 && !notNames[strings.ToLower(name)] {
			out = append(out, name)
		}
	}
	for _, p := range append(append([]*regexp.Regexp{}, saidSure...), saidMaybe...) {
		for _, m := range p.FindAllStringSubmatch(text, -1) {
			add(m[1])
		}
	}
	for _, m := range honorific.FindAllStringSubmatchIndex(text, -1) {
		// A family name alone is one character: hidden together with the form of address, or it would be hidden in every other word.
		if utf8.RuneCountInString(text[m[2]:m[3]]) == 1 {
			out = append(out, text[m[0]:m[1]])
			continue
		}
		add(text[m[2]:m[3]])
	}
	for _, m := range mySurname.FindAllStringSubmatch(text, -1) {
		out = append(out, m[0])
	}
	return out
}

// trimHan cuts the words that follow a name without a space.
func trimHan(name string) string {
	runes := []rune(name)
	for i := 2; i < len(runes); i++ {
		if strings.ContainsRune(notInName, runes[i]) {
			return string(runes[:i])
		}
	}
	if len(runes) == 2 && strings.ContainsRune(notInName, runes[1]) {
		return ""
	}
	return name
}

// notNames are words that follow "my name is" and the like without being one.
var notNames = map[string]bool{
	"not": true, "on": true, "in": true, "wrong": true, "misspelled": true, "spelled wrong": true, "is": true, "the": true, "missing": true, "not listed": true,
	"i": true, "i'm": true, "i’m": true, "a": true, "public health": true, "social security": true, "new york": true, "us": true,
}
