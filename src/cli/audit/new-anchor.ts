import { createAnchorFile } from '../../release/audit/index.ts'
import { reasonOf, UsageError } from '../input.ts'
import { green, jsonText, safe } from '../style.ts'

/**
 * `vouchsafe audit new-anchor FILE`: the anchor of an empty log (mode 0600), for a further replica, or where one is lost for good.
 * @throws UsageError where the file exists, or cannot be written
 */
export async function newAnchor(path: string, { json }: { readonly json?: boolean }): Promise<void> {
  await createAnchorFile(path).catch((error: unknown) => {
    throw new UsageError(`cannot make ${path}: ${reasonOf(error)}`)
  })
  const text = [
    `${green('ok')}  ${safe(path)}: an empty anchor, mode 0600`,
    '    it vouches for nothing before the service has run with it once: verify the log first, against an export or another anchor',
  ]
  process.stdout.write(`${json === true ? jsonText({ ok: true, anchor: path, rows: 0 }) : text.join('\n')}\n`)
}
