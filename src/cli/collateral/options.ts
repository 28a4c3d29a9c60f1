import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import type { Command } from 'commander'
import type { CollateralCache } from '../../collateral/cache/cache.ts'
import { openCollateralCache } from '../../collateral/cache/open.ts'
import {
  createVendorClient,
  type FetchObject,
  networkExchange,
  type Service,
  type VendorClientOptions,
} from '../../collateral/index.ts'
import { readText, UsageError } from '../input.ts'

/** Where objects are kept and whom they are asked from. */
export interface VendorOptions {
  readonly cache?: string
  readonly vendorUrl?: readonly string[]
  readonly pccs?: string
  readonly plainHttp?: readonly string[]
  readonly vendorCa?: string
}

export const many = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

export const cacheFlag = (command: Command): Command =>
  command.option('--cache <file>', 'the cache; $XDG_CACHE_HOME/vouchsafe/collateral.db if not given')

/** How vendors are reached; evidence never adds to it. */
export const vendorFlags = (command: Command): Command =>
  cacheFlag(command)
    .option(
      '--vendor-url <service=url>',
      'a mirror in place of a vendor, e.g. amd-kds=https://mirror.example; repeatable',
      many,
    )
    .option('--pccs <url>', 'a PCCS, which is asked for everything of Intel’s')
    .option(
      '--plain-http <origin>',
      'may be asked without TLS, named in full, e.g. http://127.0.0.1:8086; repeatable',
      many,
    )
    .option('--vendor-ca <file>', 'authorities of mirrors, PEM, beside those that Node.js trusts')

/** The file that is named, or the one in the user's cache folder (XDG Base Directory). */
export function cachePath(named: string | undefined): string {
  if (named !== undefined) return named
  const xdg = process.env.XDG_CACHE_HOME ?? ''
  return join(isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'vouchsafe', 'collateral.db')
}

/** @throws UsageError where the file is not a cache of ours, or cannot be opened */
export async function openCache(path: string): Promise<CollateralCache> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    return await openCollateralCache(path)
  } catch (error) {
    throw new UsageError(`cannot use the cache ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The user's own cache; where it cannot be used, one that lasts as long as this run, so that no decision waits for a folder. */
export async function usersCache(): Promise<CollateralCache> {
  try {
    return await openCache(cachePath(undefined))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`vouchsafe: nothing is kept: ${error.message}\n`)
    return openCollateralCache(':memory:')
  }
}

const VENDOR_URL = /^([a-z-]+)=(.+)$/

/** A client of the vendors, or of the mirrors that the operator names. */
export async function vendorClient(
  options: VendorOptions,
  patience: Pick<VendorClientOptions, 'patience' | 'attemptSeconds'>,
): Promise<FetchObject> {
  const services: Partial<Record<Service, string>> = {}
  for (const text of options.vendorUrl ?? []) {
    const [, service, url] = VENDOR_URL.exec(text) ?? []
    if (service === undefined || url === undefined)
      throw new UsageError(`--vendor-url takes SERVICE=URL, e.g. amd-kds=https://mirror.example, not ${text}`)
    services[service as Service] = url
  }
  try {
    return createVendorClient({
      services,
      ...patience,
      ...(options.pccs === undefined ? {} : { pccs: options.pccs }),
      allowPlainHttp: options.plainHttp ?? [],
      exchange: networkExchange(options.vendorCa === undefined ? {} : { ca: [await readText(options.vendorCa)] }),
      // A mirror of one's own cannot know the nonce of a question; NVIDIA's responder does.
      ocspAnswers: services['nvidia-ocsp'] === undefined ? 'fresh' : 'kept',
    })
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message)
    throw error
  }
}
