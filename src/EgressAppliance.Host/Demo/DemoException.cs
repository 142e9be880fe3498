namespace EgressAppliance.Host.Demo;

/// <summary>The demo cannot go on; the message says why, in words for the user.</summary>
public sealed class DemoException : Exception
{
    /// <summary>With a message.</summary>
    public DemoException(string message)
        : base(message)
    {
    }

    /// <summary>Without a message.</summary>
    public DemoException()
    {
    }

    /// <summary>With a message and its cause.</summary>
    public DemoException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
