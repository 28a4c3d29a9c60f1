import type { ServiceAddress } from '../../agent/exchange.ts'
import { readText, UsageError } from '../input.ts'

export interface ServiceOptions {
  readonly ca?: string
  readonly plainHttp?: boolean
}

const LOOPBACK: readonly string[] = ['127.0.0.1', '[::1]', 'localhost']

/**
 * Where the service is. Plain HTTP is taken on loopback, or where the operator says so: the key is wrapped all the same, but
 * anybody on the way can refuse it.
 * @throws UsageError
 */
export async function serviceAt(
  option: string,
  text: string,
  { ca, plainHttp }: ServiceOptions,
): Promise<ServiceAddress> {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new UsageError(`${option} takes the address of a service, such as https://keys.example`)
  if (url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new UsageError(`${option} takes an address without user, path or query: https://HOST[:PORT]`)
  const isPlain = url.protocol === 'http:'
  if (isPlain && ca !== undefined) throw new UsageError('--ca belongs to https:')
  if (isPlain && plainHttp !== true && !LOOPBACK.includes(url.hostname))
    throw new UsageError(`${option} is plain HTTP to another machine; use https:, or say --plain-http`)
  return { url: url.origin, ca: ca === undefined ? [] : [await readText(ca)] }
}
