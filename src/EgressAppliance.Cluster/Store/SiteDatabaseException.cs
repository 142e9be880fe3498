namespace EgressAppliance.Cluster.Store;

/// <summary>The database of the site refused or did not answer; the message is for the operator and holds no secret.</summary>
public sealed class SiteDatabaseException : Exception
{
    /// <summary>Makes one without a message.</summary>
    public SiteDatabaseException()
    {
    }

    /// <summary>Makes one.</summary>
    public SiteDatabaseException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public SiteDatabaseException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
