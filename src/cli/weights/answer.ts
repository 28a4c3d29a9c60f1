import { CODES } from '../../core/codes.ts'
import type { Fault, Outcome } from '../../core/outcome.ts'
import { EXIT } from '../exit.ts'
import { faultsForPeople } from '../faults.ts'
import { UsageError } from '../input.ts'
import { bold, jsonText, red, safe } from '../style.ts'

/** The answer of a command: JSON on standard output whatever it is, or text, of a refusal on standard error. */
export function answer<T>(
  outcome: Outcome<T>,
  input: string,
  json: boolean,
  { asJson, asText }: { readonly asJson: (value: T) => object; readonly asText: (value: T) => string },
): void {
  if (outcome.ok) {
    process.stdout.write(`${json ? jsonText({ ok: true, ...asJson(outcome.value) }) : asText(outcome.value)}\n`)
    return
  }
  process.exitCode = EXIT.reject
  if (json) process.stdout.write(`${jsonText({ ok: false, faults: outcome.faults.map(withRemedy) })}\n`)
  else process.stderr.write(`${red('refused')}  ${bold(safe(input))}\n${faultsForPeople(outcome.faults)}\n`)
}

const withRemedy = (f: Fault) => ({ ...f, title: CODES[f.code].title, hint: CODES[f.code].hint })

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'no permission',
  EPERM: 'not permitted',
  ENOSPC: 'no space left on the disk; free some and run again, finished files are kept',
  EDQUOT: 'the quota is used up; free some and run again, finished files are kept',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  EXDEV: 'it lies on another file system',
  EIO: 'the disk failed',
}

/** Runs work on files; what the operating system refuses is said in a sentence. */
export async function onFiles<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    if (error instanceof UsageError || !(error instanceof Error) || typeof code !== 'string') throw error
    if (!/^E[A-Z0-9]+$/.test(code)) throw error
    throw new UsageError(`${path ?? 'the model'}: ${REASONS[code] ?? code}`)
  }
}
