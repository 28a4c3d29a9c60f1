import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Fault, fault } from '../../core/outcome.ts'
import { systemCodeOf } from '../system-error.ts'

export const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** What a guest shows of its TEE beside configfs, by the driver's device node. */
const NODES = [
  { tee: 'sev-guest', paths: ['dev/sev-guest'] },
  { tee: 'tdx-guest', paths: ['dev/tdx_guest', 'dev/tdx-guest'] },
] as const

export type GuestTee = (typeof NODES)[number]['tee']

/** The device nodes of a confidential guest that are there. */
export async function guestNodes(root: string): Promise<{ tee: GuestTee; node: string }[]> {
  const found: { tee: GuestTee; node: string }[] = []
  for (const { tee, paths } of NODES) {
    for (const path of paths) if (await isThere(join(root, path))) found.push({ tee, node: `/${path}` })
  }
  return found
}

/** The kernel makes the folder whether or not anything is mounted on it, so the table of mounts decides where it can be read. */
async function isConfigfsMounted(root: string): Promise<boolean> {
  try {
    return /^\S+ \S+ configfs /m.test(await readFile(join(root, 'proc/mounts'), 'utf8'))
  } catch (error) {
    systemCodeOf(error)
    return isThere(join(root, 'sys/kernel/config'))
  }
}

/**
 * Why there is no `tsm/report` below this root, said so that the one remedy fits. A guest with /dev/tdx_guest alone could
 * only make a TDREPORT, which proves nothing to anyone outside the machine, so it is not asked for one.
 * @returns COLLECT_CPU_TEE_ABSENT · COLLECT_CONFIGFS_NOT_MOUNTED · COLLECT_TDREPORT_ONLY · COLLECT_TSM_ABSENT
 */
export async function whyNoTsm(root: string): Promise<Fault> {
  const [seen] = await guestNodes(root)
  if (seen === undefined)
    return fault('COLLECT_CPU_TEE_ABSENT', '/dev', { expected: '/dev/sev-guest or /dev/tdx_guest' })
  if (!(await isConfigfsMounted(root)))
    return fault('COLLECT_CONFIGFS_NOT_MOUNTED', '/sys/kernel/config', { actual: `${seen.node} is there` })
  const code = seen.tee === 'tdx-guest' ? 'COLLECT_TDREPORT_ONLY' : 'COLLECT_TSM_ABSENT'
  return fault(code, '/sys/kernel/config/tsm/report', { actual: `${seen.node} alone` })
}
