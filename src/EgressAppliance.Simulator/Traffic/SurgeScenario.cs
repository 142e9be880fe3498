namespace EgressAppliance.Simulator.Traffic;

/// <summary>Parts of the story.</summary>
public enum SurgePhase
{
    /// <summary>Normal load.</summary>
    Calm,

    /// <summary>The surge grows.</summary>
    Ramp,

    /// <summary>The surge is at its height.</summary>
    Plateau,

    /// <summary>The surge goes.</summary>
    Fall,
}

/// <summary>
/// What the providers' links carry over time under plain BGP: normal load, then some of the first link's prefixes grow until that link would need more
/// than it has, stay there, and fall back.
/// </summary>
public sealed record SurgeScenario
{
    /// <summary>Normal load at the start.</summary>
    public required TimeSpan Calm { get; init; }

    /// <summary>Growth.</summary>
    public required TimeSpan Ramp { get; init; }

    /// <summary>Full surge.</summary>
    public required TimeSpan Plateau { get; init; }

    /// <summary>Decline.</summary>
    public required TimeSpan Fall { get; init; }

    /// <summary>Normal load at the end.</summary>
    public required TimeSpan After { get; init; }

    /// <summary>Begins anew when it has ended.</summary>
    public bool Repeat { get; init; }

    /// <summary>Normal load of each link under plain BGP, ratio of capacity.</summary>
    public IReadOnlyList<double> BaseRatios { get; init; } = [0.70, 0.55, 0.45];

    /// <summary>Load of the first link under plain BGP at the height of the surge, ratio of capacity.</summary>
    public double PeakRatio { get; init; } = 1.20;

    /// <summary>Exponent of the popularity of prefixes: the k-th most wanted has a share in proportion to k^-exponent.</summary>
    public double ZipfExponent { get; init; } = 0.9;

    /// <summary>Length of one story.</summary>
    public TimeSpan Length => Calm + Ramp + Plateau + Fall + After;

    /// <summary>The story for endless showing, two minutes long.</summary>
    public static SurgeScenario Endless { get; } = new()
    {
        Calm = TimeSpan.FromSeconds(10),
        Ramp = TimeSpan.FromSeconds(30),
        Plateau = TimeSpan.FromSeconds(30),
        Fall = TimeSpan.FromSeconds(15),
        After = TimeSpan.FromSeconds(35),
        Repeat = true,
    };

    /// <summary>One story of this length: growth over the first quarter, the height until 55 %, decline until 70 %, and calm in which overrides are given back.</summary>
    public static SurgeScenario Once(TimeSpan length) => new()
    {
        Calm = TimeSpan.Zero,
        Ramp = length * 0.25,
        Plateau = length * 0.30,
        Fall = length * 0.15,
        After = length - (length * 0.70),
    };

    /// <summary>How much of the surge there is, 0 to 1, this long after the start of the story. Before the start there is none.</summary>
    public double SurgeAt(TimeSpan t)
    {
        TimeSpan rest = Position(t) - Calm;
        if (rest < TimeSpan.Zero)
        {
            return 0;
        }

        if (rest < Ramp)
        {
            return rest / Ramp;
        }

        rest -= Ramp + Plateau;
        return rest < TimeSpan.Zero ? 1 : rest < Fall ? 1 - (rest / Fall) : 0;
    }

    /// <summary>The part of the story at this time.</summary>
    public SurgePhase PhaseAt(TimeSpan t)
    {
        TimeSpan rest = Position(t) - Calm;
        return rest < TimeSpan.Zero ? SurgePhase.Calm
            : rest < Ramp ? SurgePhase.Ramp
            : rest < Ramp + Plateau ? SurgePhase.Plateau
            : rest < Ramp + Plateau + Fall ? SurgePhase.Fall
            : SurgePhase.Calm;
    }

    private TimeSpan Position(TimeSpan t) =>
        Repeat && t > TimeSpan.Zero ? TimeSpan.FromTicks(t.Ticks % Length.Ticks) : t;
}
