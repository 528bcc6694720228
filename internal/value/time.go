package value

import (
	"database/sql/driver"
	"errors"
	"time"
)

// TimeLayout is the form in which instants are kept as text: UTC, without
// zone, with as much of a fraction as there is.
const TimeLayout = "2006-01-02 15:04:05.999999"

// Time reads an instant, in UTC.
func Time(v driver.Value) (time.Time, error) {
	switch v := v.(type) {
	case time.Time:
		return v.UTC(), nil
	case string:
		t, err := Instant(v)
		return t.UTC(), err
	case []byte:
		t, err := Instant(string(v))
		return t.UTC(), err
	}
	return time.Time{}, mismatch(v, "time")
}

// Instant reads the texts that SQLite and MariaDB keep. The common form is
// read by hand: time.Parse takes several times as long.
func Instant(s string) (time.Time, error) {
	if t, ok := parseFixed(s); ok {
		return t, nil
	}
	for _, layout := range []string{
		"2006-01-02 15:04:05.999999999-07:00", "2006-01-02T15:04:05.999999999-07:00",
		time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z", "2006-01-02T15:04:05.999999999",
		"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05.999999999 -0700 MST",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("the database gave a text that is no time")
}

// parseFixed reads "2006-01-02", with " 15:04:05" and then a fraction if they follow.
func parseFixed(s string) (time.Time, bool) {
	if len(s) != 10 && len(s) < 19 || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	var hour, minute, second, nanos int
	ok4, ok5, ok6, ok7 := true, true, true, true
	if len(s) > 10 {
		if s[10] != ' ' && s[10] != 'T' || s[13] != ':' || s[16] != ':' {
			return time.Time{}, false
		}
		hour, ok4 = digits(s[11:13])
		minute, ok5 = digits(s[14:16])
		second, ok6 = digits(s[17:19])
	}
	if len(s) > 19 {
		frac := s[20:]
		if s[19] != '.' || len(frac) < 1 || len(frac) > 9 {
			return time.Time{}, false
		}
		nanos, ok7 = digits(frac)
		for range 9 - len(frac) {
			nanos *= 10
		}
	}
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || !ok7 ||
		month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	return t, t.Day() == day // the 31st of February is none
}

func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int(d)
	}
	return n, true
}

// AppendTime is t.AppendFormat(b, TimeLayout) for a year of four digits, in a third
// of the time.
func AppendTime(to []byte, t time.Time) []byte {
	b := [len(TimeLayout)]byte{4: '-', 7: '-', 10: ' ', 13: ':', 16: ':', 19: '.'}
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	putDigits(b[:4], year)
	putDigits(b[5:7], int(month))
	putDigits(b[8:10], day)
	putDigits(b[11:13], hour)
	putDigits(b[14:16], minute)
	putDigits(b[17:19], second)
	micros := t.Nanosecond() / 1000
	if micros == 0 {
		return append(to, b[:19]...)
	}
	putDigits(b[20:], micros)
	end := len(b)
	for b[end-1] == '0' {
		end--
	}
	return append(to, b[:end]...)
}
