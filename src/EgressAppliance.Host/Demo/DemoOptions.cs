namespace EgressAppliance.Host.Demo;

/// <summary>Options of <c>egress-appliance demo</c>.</summary>
public sealed record DemoOptions
{
    /// <summary>The shortest story that leaves time for the release of overrides.</summary>
    public static readonly TimeSpan ShortestDuration = TimeSpan.FromSeconds(20);

    /// <summary>Tell one story of this length; null: repeat a story of two minutes until cancelled.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Write nothing but the summary, as one line of JSON.</summary>
    public bool Json { get; init; }

    /// <summary>With <see cref="Json"/>: where the story is told none the less (standard error); null: nowhere.</summary>
    public TextWriter? Narration { get; init; }

    /// <summary>Port for the HTTP endpoint; a free one is taken if it is in use.</summary>
    public int HttpPort { get; init; } = 8080;

    /// <summary>Decides paths, popularity and frames.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Width of the terminal if the story is told on one, which then keeps one line moving; null: plain lines.</summary>
    public int? TerminalWidth { get; init; }

    /// <summary>How long the appliance may take until it is ready.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);
}
