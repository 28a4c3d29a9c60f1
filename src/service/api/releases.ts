import { Hono } from 'hono'
import type { Json } from '../../core/json.ts'
import { attempt, type Outcome } from '../../core/outcome.ts'
import type { Broker, KeyAsked } from '../../release/index.ts'
import { decodedBody } from '../body.ts'
import { noteRefusal } from '../refusal-code.ts'
import { faultAnswer, outcomeAnswer } from './answer.ts'
import { RequestMembers } from './request.ts'

const readChallenge = (value: Json): Outcome<KeyAsked> =>
  attempt(() => {
    const members = new RequestMembers(value, ['tenant', 'keyId', 'lease', 'teeKey'])
    return {
      tenant: members.text('tenant'),
      keyId: members.text('keyId'),
      lease: members.value('lease'),
      teeKey: members.bytes('teeKey'),
    }
  })

/** `POST /v1/challenges` and `POST /v1/releases`: for whoever holds the machine; what they prove decides. */
export function releaseRoutes(broker: Pick<Broker, 'challenge' | 'release'>): Hono {
  const app = new Hono()

  app.post('/challenges', async (request) => {
    const asked = await decodedBody(request, readChallenge)
    if (!asked.ok) return faultAnswer(request, asked.faults)
    return outcomeAnswer(request, await broker.challenge(asked.value), (record) => record)
  })

  app.post('/releases', async (request) => {
    const asked = await decodedBody(request, readRelease)
    if (!asked.ok) return faultAnswer(request, asked.faults)
    const answer = await broker.release(asked.value)
    if (answer.released) return request.json(answer as unknown as Json)
    noteRefusal(request, answer.findings)
    return request.json(answer as unknown as Json, answer.verdict === 'reject' ? 403 : 503)
  })
  return app
}

const RELEASE_MEMBERS = ['tenant', 'keyId', 'challengeId', 'lease', 'evidence', 'wrapKey', 'format'] as const

const readRelease = (value: Json) =>
  attempt(() => {
    const members = new RequestMembers(value, RELEASE_MEMBERS)
    return {
      tenant: members.text('tenant'),
      keyId: members.text('keyId'),
      proof: {
        kind: 'challenge' as const,
        challengeId: members.text('challengeId'),
        lease: members.value('lease') as unknown,
        evidence: members.bytes('evidence'),
      },
      wrapKey: members.bytesOrNull('wrapKey'),
      format: members.oneOf('format', ['hpke', 'jwe'] as const),
    }
  })
