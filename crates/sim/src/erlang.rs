//! The theory of waiting lines, to hold simulated days against: Erlang C for patient callers, Erlang A for those who leave.
//!
//! Both assume Poisson arrivals, exponential service, and service in order of arrival; Erlang A also exponential patience.

/// Agents, and the work that comes to them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// N.
    pub agents: u32,
    /// A = arrivals per second × seconds of service: the mean number of busy agents if nobody had to wait.
    pub erlangs: f64,
    /// Mean time of service, in seconds.
    pub service: f64,
}

/// What Erlang C says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErlangC {
    /// Share of callers who wait at all.
    pub waits: f64,
    /// Mean wait of all, in seconds.
    pub speed_of_answer: f64,
    load: Load,
}

/// What Erlang A says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErlangA {
    /// Share of callers who do not find an idle agent.
    pub waits: f64,
    /// Share of callers who leave before they are served.
    pub abandons: f64,
    /// Mean wait of those who are served, in seconds.
    pub speed_of_answer: f64,
    /// Mean wait of all, in seconds.
    pub wait: f64,
}

impl Load {
    /// Patient callers: `P_w = B·N / (N − A·(1 − B))` with Erlang B's recursion `B(n) = A·B(n−1) / (n + A·B(n−1))`, which is
    /// the textbook's `[A^N/N! · N/(N−A)] ÷ [Σ_{k<N} A^k/k! + A^N/N! · N/(N−A)]` without large numbers; `ASA = P_w·AHT/(N−A)`.
    ///
    /// `None` when there is more work than agents: then the wait grows without end.
    pub fn erlang_c(self) -> Option<ErlangC> {
        let (agents, erlangs) = (f64::from(self.agents), self.erlangs);
        if erlangs >= agents {
            return None;
        }
        let blocked = (1..=self.agents).fold(1.0, |blocked, n| erlangs * blocked / (f64::from(n) + erlangs * blocked));
        let waits = blocked * agents / (agents - erlangs * (1.0 - blocked));
        Some(ErlangC { waits, speed_of_answer: waits * self.service / (agents - erlangs), load: self })
    }

    /// Callers with exponential patience of this mean, in seconds.
    ///
    /// The number present is a birth-death process: up with λ, down with `min(n, N)·μ + max(0, n − N)·θ`. Its stationary
    /// distribution is summed until what is left does not count. Who finds k waiting is served with probability
    /// `Nμ / (Nμ + (k+1)θ)`, and then after `Σ_{j=0..k} 1 / (Nμ + (j+1)θ)` on average.
    pub fn erlang_a(self, patience: f64) -> ErlangA {
        let (mu, theta) = (1.0 / self.service, 1.0 / patience);
        let lambda = self.erlangs * mu;
        let busy = f64::from(self.agents) * mu;
        // Weights of states as against the empty one.
        let (mut weight, mut total) = (1.0, 0.0);
        for n in 0..self.agents {
            total += weight;
            weight *= lambda / (f64::from(n + 1) * mu);
        }
        let (mut waits, mut served, mut served_wait, mut queue, mut spans) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let mut ahead = 0.0;
        // `weight` is that of N + ahead.
        while weight > total * 1e-15 || ahead < 1.0 {
            waits += weight;
            queue += weight * ahead;
            spans += 1.0 / (busy + (ahead + 1.0) * theta);
            let is_served = busy / (busy + (ahead + 1.0) * theta);
            served += weight * is_served;
            served_wait += weight * is_served * spans;
            ahead += 1.0;
            weight *= lambda / (busy + ahead * theta);
        }
        let all = total + waits;
        let abandons = theta * (queue / all) / lambda;
        ErlangA { waits: waits / all, abandons, speed_of_answer: served_wait / (total + served), wait: queue / all / lambda }
    }
}

impl ErlangC {
    /// Share of callers served within so many seconds: `1 − P_w·e^{−(N−A)·T/AHT}`.
    pub fn service_level(&self, within: f64) -> f64 {
        let Load { agents, erlangs, service } = self.load;
        1.0 - self.waits * (-(f64::from(agents) - erlangs) * within / service).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64, most: f64) {
        assert!((one - other).abs() <= most, "{one} is not {other}");
    }

    #[test]
    fn erlang_c_is_the_textbooks_formula() {
        let load = Load { agents: 12, erlangs: 10.0, service: 180.0 };
        let power = |n: u32| (1..=n).map(|k| load.erlangs / f64::from(k)).product::<f64>();
        let last = power(12) * 12.0 / 2.0;
        let waits = last / ((0..12).map(power).sum::<f64>() + last);
        let said = load.erlang_c().unwrap();
        near(said.waits, waits, 1e-12);
        near(said.speed_of_answer, waits * 180.0 / 2.0, 1e-9);
        near(said.service_level(20.0), 1.0 - waits * (-2.0f64 * 20.0 / 180.0).exp(), 1e-12);
        assert_eq!(Load { agents: 10, ..load }.erlang_c(), None);
    }

    #[test]
    fn one_agent_is_the_simplest_line() {
        // M/M/1: the share who wait is the load, and the mean wait ρ/(1−ρ) services.
        let said = Load { agents: 1, erlangs: 0.5, service: 60.0 }.erlang_c().unwrap();
        near(said.waits, 0.5, 1e-12);
        near(said.speed_of_answer, 60.0, 1e-9);
    }

    #[test]
    fn erlang_a_becomes_erlang_c_when_patience_is_endless() {
        let load = Load { agents: 10, erlangs: 8.0, service: 180.0 };
        let (patient, leaving) = (load.erlang_c().unwrap(), load.erlang_a(1e9));
        near(leaving.waits, patient.waits, 1e-5);
        near(leaving.speed_of_answer, patient.speed_of_answer, 1e-3);
        near(leaving.abandons, 0.0, 1e-6);
    }

    #[test]
    fn erlang_a_adds_up() {
        // Flow balance: what is not served leaves; and the mean wait of all is the abandoned share times the mean patience.
        let load = Load { agents: 10, erlangs: 11.0, service: 180.0 };
        let said = load.erlang_a(120.0);
        near(said.wait, said.abandons * 120.0, 1e-9);
        assert!(said.abandons > 0.1 && said.abandons < 0.3, "{said:?}");
        // With patience as long as service, the number present is Poisson with mean A.
        let same = load.erlang_a(180.0);
        let poisson = |n: u32| (1..=n).map(|k| 11.0 / f64::from(k)).product::<f64>() * (-11.0f64).exp();
        near(same.waits, 1.0 - (0..10).map(poisson).sum::<f64>(), 1e-9);
    }
}
