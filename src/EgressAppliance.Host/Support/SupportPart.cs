namespace EgressAppliance.Host.Support;

/// <summary>A part of a support bundle.</summary>
/// <param name="Name">Its file in the bundle.</param>
/// <param name="What">What it is, for <c>support --list</c>.</param>
/// <param name="Read">Reads it; throws <see cref="SupportPartException"/> with the reason where it is not there.</param>
internal sealed record SupportPart(string Name, string What, Func<CancellationToken, Task<string>> Read)
{
    /// <summary>Most octets of it, UTF-8.</summary>
    public int Limit { get; init; } = 4 << 20;

    /// <summary>Where it is longer than that, its end is kept rather than its begin: of a log, the end tells more.</summary>
    public bool KeepEnd { get; init; }
}

/// <summary>A part cannot be read; the message says why.</summary>
internal sealed class SupportPartException : Exception
{
    public SupportPartException()
    {
    }

    public SupportPartException(string message)
        : base(message)
    {
    }

    public SupportPartException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>What became of a part.</summary>
/// <param name="Name">Its file in the bundle.</param>
/// <param name="Result"><c>included</c>, <c>cut</c> or <c>failed</c>.</param>
/// <param name="Bytes">Length in the bundle.</param>
/// <param name="Reason">Why it failed or what was cut, or null.</param>
public sealed record SupportPartResult(string Name, string Result, int Bytes, string? Reason);

/// <summary>The bundle's own description, <c>manifest.json</c>, and what <c>support --json</c> prints.</summary>
/// <param name="File">The bundle.</param>
/// <param name="Time">When it was made.</param>
/// <param name="Version">Version of the appliance that made it.</param>
/// <param name="Revision">Revision of its sources.</param>
/// <param name="Running">The appliance answered.</param>
/// <param name="Parts">What is in it and what is not.</param>
public sealed record SupportManifest(string File, DateTimeOffset Time, string Version, string Revision, bool Running, IReadOnlyList<SupportPartResult> Parts);
