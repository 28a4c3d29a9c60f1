import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { attemptAsync, type Outcome, refuse } from '../../../core/outcome.ts'
import { parseYaml } from '../../../gate/sdl/yaml.ts'
import { systemCodeOf } from '../../system-error.ts'

/** How to reach one API server. Holds secrets: never printed. */
export interface ClusterAccess {
  readonly server: URL
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly token: string | undefined
}

/**
 * The current context of a kubeconfig: CA, client certificate or token. Programs that a kubeconfig would have run (`exec`), and
 * `insecure-skip-tls-verify`, are refused.
 * @returns the access, or DOCTOR_KUBECONFIG_UNUSABLE; no fault repeats what the file holds
 */
export function readKubeconfig(path: string): Promise<Outcome<ClusterAccess>> {
  return attemptAsync(async () => {
    const unusable = (at: string, expected: string): never =>
      refuse('DOCTOR_KUBECONFIG_UNUSABLE', `${path}#${at}`, { expected })
    const read = async (file: string, at: string): Promise<string> => {
      try {
        return await readFile(resolve(dirname(path), file), 'utf8')
      } catch (error) {
        return unusable(at, `a file that can be read, not ${systemCodeOf(error)}`)
      }
    }
    const parsed = await parseYaml(await read(path, ''))
    if (!parsed.ok) return unusable(parsed.faults[0].path, 'strict YAML')
    const config = objectIn(parsed.value)
    const named = (list: string, name: Json | undefined, member: string): JsonObject => {
      const entries = Array.isArray(config[list]) ? config[list].map(objectIn) : []
      const entry = entries.find((one) => one.name === name && name !== undefined)
      return entry === undefined ? unusable(list, `an entry that ${list} names`) : objectIn(entry[member])
    }
    const context = named('contexts', config['current-context'], 'context')
    const cluster = named('clusters', context.cluster, 'cluster')
    const user = named('users', context.user, 'user')
    if (cluster['insecure-skip-tls-verify'] === true)
      unusable('clusters', 'a certificate authority, not insecure-skip-tls-verify')
    if (user.exec !== undefined || user['auth-provider'] !== undefined)
      unusable('users', 'a certificate or token, not a program')
    const pem = async (object: JsonObject, name: string): Promise<string | undefined> => {
      const data = object[`${name}-data`]
      if (typeof data === 'string') return Buffer.from(data, 'base64').toString('utf8')
      const file = object[name]
      return typeof file === 'string' ? read(file, name) : undefined
    }
    const server =
      typeof cluster.server === 'string' && URL.canParse(cluster.server) ? new URL(cluster.server) : undefined
    if (server?.protocol !== 'https:') return unusable('clusters', 'a server at https://')
    const tokenFile = user.tokenFile
    const token =
      typeof user.token === 'string'
        ? user.token
        : typeof tokenFile === 'string'
          ? (await read(tokenFile, 'tokenFile')).trim()
          : undefined
    if (token !== undefined && !HEADER_TEXT.test(token)) unusable('users', 'a token of one line, in printable ASCII')
    const access = {
      server,
      ca: await pem(cluster, 'certificate-authority'),
      cert: await pem(user, 'client-certificate'),
      key: await pem(user, 'client-key'),
      token,
    }
    if (!isForTls(access)) unusable('users', 'certificates and a key in PEM that belong together')
    return access
  })
}

/** What a header of HTTP may hold without meaning anything else. */
const HEADER_TEXT = /^[\x21-\x7e]+$/

/** Whether TLS takes them: a connection would throw, with what the file holds in its words. */
function isForTls({ ca, cert, key }: Pick<ClusterAccess, 'ca' | 'cert' | 'key'>): boolean {
  try {
    createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    })
    return true
  } catch {
    return false
  }
}

const objectIn = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {})
