namespace EgressAppliance.Host.History.Store;

/// <summary>Why the history cannot be used.</summary>
public enum HistoryFailure
{
    /// <summary>The database is of a newer program.</summary>
    NewerVersion,

    /// <summary>The file is a database of something else.</summary>
    Foreign,

    /// <summary>There is no such file.</summary>
    Missing,

    /// <summary>The database is damaged.</summary>
    Damaged,

    /// <summary>Too many questions are being answered at the moment.</summary>
    Busy,
}

/// <summary>The history cannot be used; the message is meant for the operator.</summary>
public sealed class HistoryException : Exception
{
    /// <summary>Makes one without a message.</summary>
    public HistoryException()
    {
    }

    /// <summary>Makes one.</summary>
    public HistoryException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public HistoryException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes one.</summary>
    /// <param name="message">What is wrong, and what to do.</param>
    /// <param name="failure">Its kind.</param>
    public HistoryException(string message, HistoryFailure failure)
        : base(message) => Failure = failure;

    /// <summary>Its kind.</summary>
    public HistoryFailure Failure { get; }
}
