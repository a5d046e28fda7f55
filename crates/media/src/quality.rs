//! Voice quality as one number: from delay, loss and codec to R and MOS (E-model, ITU-T G.107 in its reduced form),
//! and whether Microsoft's Call Quality Dashboard would call the stream poor.
//!
//! Pure arithmetic over figures that others measure (`rtcp`, the engine). Narrowband only: wideband codecs are rated
//! on another scale (G.107.1) and must not be mixed in here.

/// What a perfect narrowband connection is rated (G.107 §7.7, all defaults).
const R_BEST: f64 = 93.2;
/// Delay (ms) from which a conversation begins to suffer (Cole and Rosenbluth's fit of G.107's delay term).
const DELAY_KNEE_MS: f64 = 177.3;

/// How a codec and its receiver stand losses (G.113 appendix I).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Equipment {
    /// G.711 whose receiver plays silence for what is lost.
    G711,
    /// G.711 with packet loss concealment (G.711 appendix I), as Teams and modern telephones have.
    G711Concealed,
    /// G.729 annex A.
    G729a,
    /// Any other: impairment `ie` and robustness `bpl` as published for it.
    Other {
        /// Equipment impairment factor without loss.
        ie: f64,
        /// Packet loss robustness factor.
        bpl: f64,
    },
}

impl Equipment {
    /// `(Ie, Bpl)`.
    fn factors(self) -> (f64, f64) {
        match self {
            Equipment::G711 => (0.0, 4.3),
            Equipment::G711Concealed => (0.0, 25.1),
            Equipment::G729a => (11.0, 19.0),
            Equipment::Other { ie, bpl } => (ie, bpl.max(f64::MIN_POSITIVE)),
        }
    }
}

/// One direction of a call as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction {
    /// Packets lost, as a share of those expected, 0 to 1.
    pub loss_ratio: f64,
    /// Interarrival jitter in milliseconds.
    pub jitter_ms: f64,
    /// Round trip in milliseconds, if the other side's reports told.
    pub round_trip_ms: Option<f64>,
}

/// How one direction sounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Transmission rating, 0 to 100.
    pub r_factor: f64,
    /// Mean opinion score, 1 to 4.5.
    pub mos: f64,
    /// Whether the Call Quality Dashboard would count the stream as poor.
    pub poor: bool,
}

impl Direction {
    /// Milliseconds of packetization and codec in G.711's 20 ms packets.
    const PACKET_MS: f64 = 20.0;
    /// A receiver's buffer holds about two jitters, and at least one packet.
    const BUFFER_JITTERS: f64 = 2.0;

    /// From mouth to ear in milliseconds: half the round trip, the packet, and the buffer a receiver needs for this
    /// jitter.
    pub fn one_way_delay_ms(&self) -> f64 {
        let buffer_ms = (self.jitter_ms * Self::BUFFER_JITTERS).max(Self::PACKET_MS);
        self.round_trip_ms.unwrap_or(0.0) / 2.0 + Self::PACKET_MS + buffer_ms
    }

    /// Rates G.711 received by a party with loss concealment.
    pub fn score(&self) -> Score {
        let r_factor = r_factor(self.one_way_delay_ms(), self.loss_ratio, 1.0, Equipment::G711Concealed);
        let figures = CqdFigures {
            round_trip_ms: self.round_trip_ms,
            loss_ratio: Some(self.loss_ratio),
            jitter_ms: Some(self.jitter_ms),
            ..CqdFigures::default()
        };
        Score { r_factor, mos: mos(r_factor), poor: figures.is_poor() }
    }
}

/// The transmission rating R of G.107, reduced to delay and loss.
///
/// `loss_ratio` is 0 to 1; `burst_ratio` is 1 for random losses and more when they come together (G.107 §7.4.2).
pub fn r_factor(one_way_delay_ms: f64, loss_ratio: f64, burst_ratio: f64, equipment: Equipment) -> f64 {
    let delay = one_way_delay_ms.max(0.0);
    let delay_impairment = 0.024 * delay + 0.11 * (delay - DELAY_KNEE_MS).max(0.0);
    let (ie, bpl) = equipment.factors();
    let loss_percent = loss_ratio.clamp(0.0, 1.0) * 100.0;
    let equipment_impairment = ie + (95.0 - ie) * loss_percent / (loss_percent / burst_ratio.max(1.0) + bpl);
    (R_BEST - delay_impairment - equipment_impairment).clamp(0.0, 100.0)
}

/// The mean opinion score of a rating (G.107 annex B).
pub fn mos(r_factor: f64) -> f64 {
    match r_factor {
        r if r <= 0.0 => 1.0,
        r if r >= 100.0 => 4.5,
        // The cubic dips below 1 for the smallest ratings.
        r => (1.0 + 0.035 * r + 7e-6 * r * (r - 60.0) * (100.0 - r)).max(1.0),
    }
}

/// How satisfied users are (G.109 table 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Satisfaction {
    /// R below 50: not recommended.
    NotRecommended,
    /// R from 50: nearly all users dissatisfied.
    NearlyAllDissatisfied,
    /// R from 60: many users dissatisfied.
    ManyDissatisfied,
    /// R from 70: some users dissatisfied.
    SomeDissatisfied,
    /// R from 80: users satisfied.
    Satisfied,
    /// R from 90: users very satisfied.
    VerySatisfied,
}

impl Satisfaction {
    /// The band of a rating.
    pub fn of(r_factor: f64) -> Satisfaction {
        match r_factor {
            r if r >= 90.0 => Satisfaction::VerySatisfied,
            r if r >= 80.0 => Satisfaction::Satisfied,
            r if r >= 70.0 => Satisfaction::SomeDissatisfied,
            r if r >= 60.0 => Satisfaction::ManyDissatisfied,
            r if r >= 50.0 => Satisfaction::NearlyAllDissatisfied,
            _ => Satisfaction::NotRecommended,
        }
    }
}

/// The figures by which the Call Quality Dashboard classifies an audio stream; `None` where nobody measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CqdFigures {
    /// "Audio Degradation Avg", in MOS.
    pub degradation_mos: Option<f64>,
    /// "Round Trip", in milliseconds.
    pub round_trip_ms: Option<f64>,
    /// "Packet Loss Rate", 0 to 1.
    pub loss_ratio: Option<f64>,
    /// "Jitter", in milliseconds.
    pub jitter_ms: Option<f64>,
    /// "Ratio Concealed Samples Avg", 0 to 1.
    pub concealed_ratio: Option<f64>,
}

impl CqdFigures {
    /// Whether any figure is beyond the dashboard's threshold. Figures nobody measured do not count against a stream.
    pub fn is_poor(&self) -> bool {
        let beyond = |figure: Option<f64>, threshold: f64| figure.is_some_and(|figure| figure > threshold);
        beyond(self.degradation_mos, 1.0)
            || beyond(self.round_trip_ms, 500.0)
            || beyond(self.loss_ratio, 0.1)
            || beyond(self.jitter_ms, 30.0)
            || beyond(self.concealed_ratio, 0.07)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_agree_with_the_check_values_of_the_e_model() {
        use Equipment::{G711, G711Concealed, G729a};
        let cases = [
            (G711Concealed, 50.0, 0.00, 92.0, 4.38),
            (G711Concealed, 50.0, 0.01, 88.4, 4.30),
            (G711Concealed, 50.0, 0.05, 76.2, 3.87),
            (G711Concealed, 50.0, 0.10, 64.9, 3.35),
            (G711Concealed, 300.0, 0.00, 72.5, 3.71),
            (G711, 50.0, 0.01, 74.1, 3.78),
            (G711, 50.0, 0.05, 40.9, 2.11),
            (G729a, 150.0, 0.02, 70.6, 3.63),
        ];
        for (equipment, delay_ms, loss, expected_r, expected_mos) in cases {
            let r = r_factor(delay_ms, loss, 1.0, equipment);
            assert!((r - expected_r).abs() <= 0.051, "{equipment:?} {delay_ms} ms {loss}: R {r}");
            assert!((mos(r) - expected_mos).abs() <= 0.0051, "{equipment:?} {delay_ms} ms {loss}: MOS {}", mos(r));
        }
    }

    #[test]
    fn the_score_stays_on_its_scale_whatever_is_measured() {
        assert_eq!(mos(-10.0), 1.0);
        assert_eq!(mos(0.0), 1.0);
        assert_eq!(mos(120.0), 4.5);
        assert_eq!(r_factor(1e9, 1.0, 1.0, Equipment::G711), 0.0);
        for loss in [-1.0, 0.0, 0.3, 1.0, 2.0] {
            for delay in [-5.0, 0.0, 100.0, 5_000.0] {
                let r = r_factor(delay, loss, 0.0, Equipment::Other { ie: 0.0, bpl: 0.0 });
                assert!((0.0..=100.0).contains(&r) && (1.0..=4.5).contains(&mos(r)), "{loss} {delay}: {r}");
            }
        }
    }

    #[test]
    fn losses_in_bursts_are_worse_than_scattered_ones() {
        let scattered = r_factor(50.0, 0.05, 1.0, Equipment::G711Concealed);
        let bursts = r_factor(50.0, 0.05, 3.0, Equipment::G711Concealed);
        assert!(bursts < scattered - 1.0, "{bursts} against {scattered}");
    }

    #[test]
    fn a_good_line_is_very_satisfying_and_a_bad_one_is_poor() {
        let good = Direction { loss_ratio: 0.0, jitter_ms: 1.0, round_trip_ms: Some(20.0) };
        assert_eq!(good.one_way_delay_ms(), 50.0);
        let score = good.score();
        assert!(!score.poor && score.mos > 4.37);
        assert_eq!(Satisfaction::of(score.r_factor), Satisfaction::VerySatisfied);
        for bad in [
            Direction { loss_ratio: 0.11, ..good },
            Direction { jitter_ms: 31.0, ..good },
            Direction { round_trip_ms: Some(501.0), ..good },
        ] {
            assert!(bad.score().poor, "{bad:?}");
        }
        let at_the_threshold = Direction { loss_ratio: 0.1, jitter_ms: 30.0, round_trip_ms: Some(500.0) };
        assert!(!at_the_threshold.score().poor);
    }

    #[test]
    fn each_figure_alone_can_make_a_stream_poor_and_none_cannot() {
        assert!(!CqdFigures::default().is_poor());
        assert!(CqdFigures { degradation_mos: Some(1.1), ..Default::default() }.is_poor());
        assert!(CqdFigures { concealed_ratio: Some(0.08), ..Default::default() }.is_poor());
        assert!(!CqdFigures { concealed_ratio: Some(0.07), ..Default::default() }.is_poor());
    }

    #[test]
    fn bands_begin_where_g109_says() {
        assert_eq!(Satisfaction::of(90.0), Satisfaction::VerySatisfied);
        assert_eq!(Satisfaction::of(89.9), Satisfaction::Satisfied);
        assert_eq!(Satisfaction::of(79.9), Satisfaction::SomeDissatisfied);
        assert_eq!(Satisfaction::of(69.9), Satisfaction::ManyDissatisfied);
        assert_eq!(Satisfaction::of(59.9), Satisfaction::NearlyAllDissatisfied);
        assert_eq!(Satisfaction::of(49.9), Satisfaction::NotRecommended);
    }
}
