import { hostname } from 'node:os'
import { join } from 'node:path'
import { HostFiles } from '../../collect/host/files.ts'
import {
  akashCollector,
  type Collector,
  FIRMWARE_EVENT_LOG,
  nvmlCollector,
  savedCollector,
  sidecarCollector,
  tpmCollector,
  tsmCollector,
} from '../../collect/index.ts'
import type { UnixSeconds } from '../../core/time.ts'
import { readText, UsageError } from '../input.ts'

/** Where the evidence of one run comes from. */
export interface Source {
  /** in words, for the first line of the report */
  readonly label: string
  /** evidence that was made earlier and answers no question of ours */
  readonly isSaved: boolean
  readonly collectors: readonly Collector[]
  /** taken beside the others, since no preset asks for it; undefined where the machine shows none */
  readonly tpm: Collector | undefined
  /** why a part of the machine is not asked at all */
  readonly unasked: readonly { readonly id: string; readonly because: string }[]
  /** names and addresses that a redacted report must not show */
  readonly identifiers: readonly string[]
}

export interface SourceOptions {
  readonly sidecar?: string
  readonly sidecarCert?: string
  readonly insecureTls?: boolean
  readonly gateway?: string
  readonly lease?: string
  readonly provider?: string
  readonly providerCert?: string
  readonly tokenFile?: string
  readonly bundle?: string
  readonly root: string
  readonly nvml?: string
  readonly tcti?: string
}

const TIMEOUT_MILLISECONDS = 60_000
const SHA256 = /^[0-9a-f]{64}$/

/** The one source that the options name; this machine where they name none. */
export async function sourceFrom(options: SourceOptions, clock: () => UnixSeconds): Promise<Source> {
  const named = [options.sidecar, options.gateway, options.bundle].filter((o) => o !== undefined)
  if (named.length > 1) throw new UsageError('--sidecar, --gateway and --bundle exclude one another')
  if (options.sidecar !== undefined) return sidecar(options.sidecar, options, clock)
  if (options.sidecarCert !== undefined || options.insecureTls === true)
    throw new UsageError('--sidecar-cert and --insecure-tls belong to --sidecar')
  if (options.gateway !== undefined) return gateway(options.gateway, options, clock)
  if ([options.lease, options.provider, options.providerCert, options.tokenFile].some((o) => o !== undefined))
    throw new UsageError('--lease, --provider, --provider-cert and --token-file belong to --gateway')
  if (options.bundle !== undefined)
    return {
      ...document(`the file ${options.bundle}`, savedCollector(options.bundle), [options.bundle]),
      isSaved: true,
    }
  return thisMachine(options)
}

const document = (label: string, collector: Collector, identifiers: readonly string[]): Source => ({
  ...{ label, isSaved: false, collectors: [collector], tpm: undefined, unasked: [] },
  identifiers: [...identifiers, hostname()],
})

function sidecar(url: string, { sidecarCert, insecureTls }: SourceOptions, clock: () => UnixSeconds): Source {
  if (!/^https:\/\/[^/@?#]+\/?$/.test(url) || !URL.canParse(url))
    throw new UsageError('--sidecar takes https://host:port')
  if ((sidecarCert === undefined) === (insecureTls !== true))
    throw new UsageError('--sidecar takes either --sidecar-cert SHA256 or --insecure-tls')
  if (sidecarCert !== undefined && !SHA256.test(sidecarCert))
    throw new UsageError('--sidecar-cert takes 64 lower-case hexadecimal digits')
  const tls = sidecarCert === undefined ? ({ insecure: true } as const) : { certificateSha256: sidecarCert }
  const collector = sidecarCollector({ url, tls, clock, timeoutMilliseconds: TIMEOUT_MILLISECONDS })
  return document(`sidecar at ${url}`, collector, [url, new URL(url).hostname])
}

/** The token comes in a file: what stands on the command line, every user of the machine can read. */
async function gateway(endpoint: string, options: SourceOptions, clock: () => UnixSeconds): Promise<Source> {
  const { lease, provider, providerCert, tokenFile } = options
  if (lease === undefined || provider === undefined || providerCert === undefined || tokenFile === undefined)
    throw new UsageError('--gateway takes --lease, --provider, --provider-cert and --token-file too')
  const parts = /^(akash1[a-z0-9]{38})\/([1-9]\d{0,19})\/(\d{1,9})\/(\d{1,9})$/.exec(lease)
  const [, owner, dseq, gseq, oseq] = parts ?? []
  if (owner === undefined || dseq === undefined) throw new UsageError('--lease takes OWNER/DSEQ/GSEQ/OSEQ')
  if (!/^akash1[a-z0-9]{38}$/.test(provider)) throw new UsageError('--provider takes an akash1 address')
  if (!SHA256.test(providerCert)) throw new UsageError('--provider-cert takes 64 lower-case hexadecimal digits')
  const token = (await readText(tokenFile)).trim()
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw new UsageError(`${tokenFile} holds no token`)
  const collection = {
    ...{ endpoint, provider, providerCertSha256: providerCert, deadlineMilliseconds: TIMEOUT_MILLISECONDS },
    lease: { owner, dseq, gseq: Number(gseq), oseq: Number(oseq) },
    authorisation: { mintToken: () => token },
  }
  const hosts = URL.canParse(endpoint) ? [new URL(endpoint).hostname] : []
  const label = `gateway ${endpoint}, lease ${lease}`
  return document(label, akashCollector(collection, clock), [endpoint, ...hosts, lease, owner, dseq, provider])
}

/** Below another root than / the driver and the TPM are asked only where they are named. */
async function thisMachine({ root, nvml, tcti }: SourceOptions): Promise<Source> {
  const isHere = root === '/'
  const hasTpm = tcti !== undefined || (isHere && (await new HostFiles(root).isThere('/dev/tpmrm0')))
  return {
    label: isHere ? 'this machine' : `this machine, below ${root}`,
    isSaved: false,
    collectors: [
      tsmCollector({ root }),
      ...(isHere || nvml !== undefined ? [nvmlCollector(nvml === undefined ? {} : { library: nvml })] : []),
    ],
    tpm: hasTpm ? await tpm(root, tcti) : undefined,
    unasked: [
      ...(isHere || nvml !== undefined
        ? []
        : [{ id: 'source.nvml', because: 'below another root the driver is asked only where --nvml names it' }]),
      ...(hasTpm ? [] : [{ id: 'tpm', because: isHere ? 'no /dev/tpmrm0 here' : 'asked only where --tcti names it' }]),
    ],
    identifiers: [hostname()],
  }
}

/** Registers of firmware, boot loader and kernel; what the firmware logged goes along where it can be read. */
async function tpm(root: string, tcti: string | undefined): Promise<Collector> {
  const hasLog = tcti === undefined && (await new HostFiles(root).isThere(FIRMWARE_EVENT_LOG))
  return tpmCollector({
    ...(tcti === undefined ? {} : { tcti }),
    ak: { create: 'ecc' },
    bank: 'sha256',
    registers: [0, 1, 2, 3, 4, 5, 6, 7],
    ...(hasLog ? { eventLog: join(root, FIRMWARE_EVENT_LOG) } : {}),
  })
}
