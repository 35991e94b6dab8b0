package wire

// Skip reads the next value and drops it. It checks it in full.
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

// skipContainer reads an object or array without recursion: a hostile body that nests deeply takes
// no stack. One bit per level tells objects from arrays, which is why MaxDepth can be 64 at most.
func (s *Scanner) skipContainer() {
	var (
		objects uint64 // a bit for each level, 1 for an object; bit 0 is the innermost level
		level   int    // how many containers are open
		problem string
		d, i    = s.data, s.pos
		deepest = MaxDepth - s.depth // how many may be open
	)
	s.fresh = false
	for {
		// A value begins here.
		i = space(d, i)
		switch at(d, i) {
		case '"':
			if i = Plain(d, i+1); i < len(d) && d[i] == '"' {
				i++
				break
			}
			if i, problem = stringEnd(d, i); problem != "" {
				s.failAt(i, problem)
				return
			}
			i++
		case '{':
			if level == deepest {
				s.failAt(i, "nested too deep")
				return
			}
			level++
			objects = objects<<1 | 1
			if i = space(d, i+1); at(d, i) != '}' {
				if i = s.skipName(i); i < 0 {
					return
				}
				continue
			}
			i++
			level--
			objects >>= 1
		case '[':
			if level == deepest {
				s.failAt(i, "nested too deep")
				return
			}
			level++
			objects <<= 1
			if i = space(d, i+1); at(d, i) != ']' {
				continue
			}
			i++
			level--
			objects >>= 1
		default:
			s.pos = i
			if s.Skip(); s.err != nil {
				return
			}
			i = s.pos
		}

		// A value has ended: close what ends with it, up to the next value.
		for {
			if level == 0 {
				s.pos = i
				return
			}
			i = space(d, i)
			c := at(d, i)
			if c == ',' {
				if i++; objects&1 != 0 {
					if i = s.skipName(space(d, i)); i < 0 {
						return
					}
				}
				break
			}
			if c != closing[objects&1] {
				s.failAt(i, "want a comma")
				return
			}
			i++
			level--
			objects >>= 1
		}
	}
}

var closing = [2]byte{']', '}'}

// space returns the position of the first byte at or after i that is no white space, or len(d).
func space(d []byte, i int) int {
	for i < len(d) && d[i] <= ' ' && isSpace(d[i]) {
		i++
	}
	return i
}

// at returns the byte at i, or 0 at the end.
func at(d []byte, i int) byte {
	if i < len(d) {
		return d[i]
	}
	return 0
}

// skipName reads the member's name at i and its colon, and returns the position behind it; -1 after
// a failure.
func (s *Scanner) skipName(i int) int {
	d := s.data
	if at(d, i) != '"' {
		s.failAt(i, "want a member name")
		return -1
	}
	i = Plain(d, i+1)
	if len(d)-i > 1 && d[i] == '"' && d[i+1] == ':' {
		return i + 2
	}
	i, problem := stringEnd(d, i)
	if problem != "" {
		s.failAt(i, problem)
		return -1
	}
	if i = space(d, i+1); at(d, i) != ':' {
		s.failAt(i, "want a colon")
		return -1
	}
	return i + 1
}

// failAt is fail for a position that s.pos has not reached yet.
func (s *Scanner) failAt(i int, what string) {
	s.pos = i
	s.fail(what)
}

// literal reads null, true or false. What comes behind it is checked by the caller's next step:
// after "nulll" no comma and no end comes.
func (s *Scanner) literal(word string) {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		s.fail("want a value")
		return
	}
	s.pos += len(word)
}

// skipNumber reads a number by JSON's grammar: no leading zeros, no bare point, no sign but minus.
func (s *Scanner) skipNumber() {
	end, ok := numberEnd(s.data, s.pos)
	if s.pos = end; !ok {
		s.fail("want a digit")
	}
}

// numberEnd is the grammar of a number. It returns where the number ends that begins at i, or where
// a digit is missing.
func numberEnd(d []byte, i int) (end int, ok bool) {
	if d[i] == '-' {
		i++
	}
	switch {
	case i < len(d) && d[i] == '0':
		i++
	case i < len(d) && isDigit(d[i]):
		i = digits(d, i)
	default:
		return i, false
	}
	if i < len(d) && d[i] == '.' {
		j := digits(d, i+1)
		if j == i+1 {
			return j, false
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
			return j, false
		}
		i = j
	}
	return i, true
}

// digits returns the position of the first byte at or after i that is no digit.
func digits(d []byte, i int) int {
	for i < len(d) && isDigit(d[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
