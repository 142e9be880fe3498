namespace EgressAppliance.Host.Replay;

/// <summary>A replay that cannot be done. The message is for the user.</summary>
public sealed class ReplayException : Exception
{
    /// <summary>An error without a reason; serializers want it.</summary>
    public ReplayException()
    {
    }

    /// <summary>A replay that failed.</summary>
    public ReplayException(string message)
        : base(message)
    {
    }

    /// <summary>A replay that failed because of another error.</summary>
    public ReplayException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>True if the command line asks for something impossible (exit code 2), false if doing it failed (exit code 1).</summary>
    public bool IsUsageError { get; init; }
}
