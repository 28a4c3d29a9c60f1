import { unlink } from 'node:fs/promises'
import type { Outcome } from '../../core/outcome.ts'
import { isWithin, realPlace } from '../../weights/files.ts'
import { type ModelKey, newModelKey, readKeyFile, writeKeyFile } from '../../weights/index.ts'
import { faultsForPeople } from '../faults.ts'
import { UsageError } from '../input.ts'
import { onFiles } from './answer.ts'

/** A key file of the operator's; one that is refused cannot be used. */
export async function keyFrom(path: string): Promise<ModelKey> {
  const key = await onFiles(() => readKeyFile(path))
  if (!key.ok) throw new UsageError(`${path} cannot be used as a key file:\n${faultsForPeople(key.faults)}`)
  return key.value
}

/**
 * That a key file lies in none of the folders of a model, which go where the key must not.
 * @throws UsageError
 */
export async function keyOutside(file: string | undefined, folders: readonly string[]): Promise<void> {
  if (file === undefined) return
  const place = await onFiles(() => realPlace(file))
  for (const folder of folders)
    if (isWithin(await onFiles(() => realPlace(folder)), place))
      throw new UsageError(`${file} lies in ${folder}, and would go wherever that goes: keep the key elsewhere`)
}

/**
 * Does `work` with the key in `existing`, or with a new one that is on disk in `fresh` before anything is sealed under it. A new
 * key is removed where the work is refused, and kept where it was only interrupted.
 * @param name of the option that names an existing file
 */
export async function withKey<T>(
  {
    existing,
    fresh,
    name,
  }: { readonly existing: string | undefined; readonly fresh: string | undefined; readonly name: string },
  work: (key: ModelKey) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  if (existing !== undefined && fresh !== undefined) throw new UsageError(`${name} and --new-key exclude one another`)
  if (existing !== undefined) return work(await keyFrom(existing))
  if (fresh === undefined) throw new UsageError(`a key is needed: ${name} FILE, or --new-key FILE to make one`)
  const key = newModelKey()
  await onFiles(() => writeKeyFile(fresh, key)).catch((error) => {
    const isThere = error instanceof UsageError && error.message.endsWith('EEXIST')
    throw isThere ? new UsageError(`${fresh} is there already: ${name} ${fresh} goes on with the key in it`) : error
  })
  const outcome = await work(key)
  if (!outcome.ok) await unlink(fresh)
  return outcome
}
