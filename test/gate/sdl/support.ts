import { lintSdl } from '../../../src/gate/sdl/index.ts'

export const DIGEST = `sha256:${'ab'.repeat(32)}`

export interface Parts {
  /** lines of the service, indented as its members */
  readonly service?: string
  readonly params?: string
  readonly image?: string
  /** lines of the profile's gpu, indented as its members; empty for no GPU */
  readonly gpu?: string
  readonly deployment?: string
  readonly more?: string
}

export const H100 = '          units: 1\n          attributes: { vendor: { nvidia: [{ model: h100 }] } }'

/** An order without a finding, with parts replaced. */
export const order = ({
  service = '',
  params = '    params: { tee: cpu-gpu }',
  image = `ghcr.io/acme/inference@${DIGEST}`,
  gpu = H100,
  deployment = '  web: { akash: { profile: big, count: 1 } }',
  more = '',
}: Parts = {}): string => `---
version: "2.1"
services:
  web:
    image: ${image}
${params}
${service}
profiles:
  compute:
    big:
      resources:
        cpu: { units: 4 }
        memory: { size: 16Gi }
${gpu === '' ? '' : `        gpu:\n${gpu}`}
  placement:
    akash:
      pricing: { web: { denom: uakt, amount: 1000 } }
deployment:
${deployment}
${more}`

export const codesOfOrder = async (text: string): Promise<readonly string[]> =>
  (await lintSdl(text)).findings.map((f) => f.code)
