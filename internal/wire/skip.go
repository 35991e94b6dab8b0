package wire

// Skip reads the next value and forgets it. It checks it in full.
func (s *Scanner) Skip() {
	if s.err != nil {
		return
	}
	switch kinds[s.peek()] {
	case KindString:
		s.skipString()
	case KindNumber:
		s.skipNumber()
	case KindNull:
		s.literal("null")
	case KindBool:
		if s.data[s.pos] == 't' {
			s.literal("true")
		} else {
			s.literal("false")
		}
	case KindArray, KindObject:
		s.skipContainer()
	case KindNone:
		s.fail("want a value")
	}
}

// Raw reads the next value and returns its bytes, which alias the data.
func (s *Scanner) Raw() []byte {
	if s.err != nil {
		return nil
	}
	s.peek()
	start := s.pos
	s.Skip()
	if s.err != nil {
		return nil
	}
	return s.data[start:s.pos:s.pos]
}

// skipContainer reads an object or array without recursion. One bit per level tells objects from arrays.
func (s *Scanner) skipContainer() {
	var (
		objects uint64 // bit 0 is the innermost level
		level   int
	)
	s.fresh = false
	for {
		// A value begins here.
		switch c := s.peek(); kinds[c] {
		case KindObject, KindArray:
			if s.depth+level == MaxDepth {
				s.fail("nested too deep")
				return
			}
			s.pos++
			level++
			objects <<= 1
			if c == '{' {
				objects |= 1
				switch s.peek() {
				case '"':
					if !s.skipName() {
						return
					}
					continue
				case '}':
					s.pos++
					level--
					objects >>= 1
				default:
					s.fail("want a member name")
					return
				}
			} else {
				if s.peek() != ']' {
					continue
				}
				s.pos++
				level--
				objects >>= 1
			}
		case KindString:
			s.skipString()
		default:
			s.Skip()
		}

		// A value has ended: close what ends with it, up to the next value.
		for {
			if s.err != nil || level == 0 {
				return
			}
			c := s.peek()
			if c == ',' {
				s.pos++
				if objects&1 != 0 {
					if s.peek() != '"' {
						s.fail("want a member name")
						return
					}
					if !s.skipName() {
						return
					}
				}
				break
			}
			if objects&1 != 0 && c == '}' || objects&1 == 0 && c == ']' {
				s.pos++
				level--
				objects >>= 1
				continue
			}
			s.fail("want a comma")
			return
		}
	}
}

// skipName reads a member's name and colon.
func (s *Scanner) skipName() bool {
	s.skipString()
	if s.err != nil {
		return false
	}
	if s.peek() != ':' {
		s.fail("want a colon")
		return false
	}
	s.pos++
	return true
}

func (s *Scanner) literal(word string) {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		s.fail("want a value")
		return
	}
	s.pos += len(word)
}

// skipNumber reads a number by JSON's grammar: no leading zeros, no bare point, no sign but minus.
func (s *Scanner) skipNumber() {
	d, i := s.data, s.pos
	if d[i] == '-' {
		i++
	}
	switch {
	case i < len(d) && d[i] == '0':
		i++
	case i < len(d) && isDigit(d[i]):
		i = digits(d, i)
	default:
		s.pos = i
		s.fail("want a digit")
		return
	}
	if i < len(d) && d[i] == '.' {
		j := digits(d, i+1)
		if j == i+1 {
			s.pos = j
			s.fail("want a digit")
			return
		}
		i = j
	}
	if i < len(d) && (d[i] == 'e' || d[i] == 'E') {
		i++
		if i < len(d) && (d[i] == '+' || d[i] == '-') {
			i++
		}
		j := digits(d, i)
		if j == i {
			s.pos = j
			s.fail("want a digit")
			return
		}
		i = j
	}
	s.pos = i
}

func digits(d []byte, i int) int {
	for i < len(d) && isDigit(d[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
