import type { Challenge } from '../attestation/challenge.ts'

/**
 * A challenge that was used up before its answer was looked at. `Gate.redeem` makes it, and `Gate.verify` takes it in the
 * place of an id, once: the same nonce is never judged twice.
 */
export class RedeemedChallenge {
  readonly challenge: Challenge
  #isJudged = false

  constructor(challenge: Challenge) {
    this.challenge = challenge
  }

  /** @throws TypeError the second time */
  take(): Challenge {
    if (this.#isJudged) throw new TypeError('a redeemed challenge is judged once')
    this.#isJudged = true
    return this.challenge
  }
}
