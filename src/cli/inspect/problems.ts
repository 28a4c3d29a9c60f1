import { CODES } from '../../core/codes.ts'
import type { Fault } from '../../core/outcome.ts'
import type { ProblemView } from './model.ts'

export const problemOf = (f: Fault): ProblemView => ({
  code: f.code,
  title: CODES[f.code].title,
  path: f.path,
  ...(f.expected === undefined ? {} : { expected: f.expected }),
  ...(f.actual === undefined ? {} : { actual: f.actual }),
  remedy: CODES[f.code].hint,
})
