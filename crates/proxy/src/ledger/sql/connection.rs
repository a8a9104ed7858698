//! One way to ask either engine: statements whose parameters are `$1`, `$2`, …, and rows whose columns are read by name.
//! `SQLite` is asked on the caller's own thread, without a change of threads for each statement, so whoever has such a
//! connection may wait for the disk: the writer and the readers see to that. Nothing but integers, text and bytes is kept.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow, Postgres};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Connection as _, PgConnection, Row as _, TypeInfo};
use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// As SQL names parameters. No statement has more.
const PARAMETERS: [&str; 14] =
    ["$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14"];
/// Statements that are kept ready.
const READY: usize = 64;
/// How long `SQLite` itself waits for somebody else's lock; whoever asks waits on.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

pub(super) type Result<T, E = Error> = std::result::Result<T, E>;

/// A connection to either engine.
pub(super) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(PgConnection),
}

/// Why a statement failed.
#[derive(Debug)]
pub(super) enum Error {
    Sqlite(rusqlite::Error),
    Postgres(sqlx::Error),
    /// A row that must be there is not.
    NoRow,
    /// The database did not answer in time.
    Silent,
    /// A column holds what it never should.
    Unreadable(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => write!(f, "{error}"),
            Self::Postgres(error) => write!(f, "{error}"),
            Self::NoRow => f.write_str("a row that must be there is missing"),
            Self::Silent => f.write_str("the database does not answer"),
            Self::Unreadable(why) => write!(f, "the database holds what it never should: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

impl Connection {
    /// Opens a file that is there.
    pub(super) fn file(file: &Path, writes: bool) -> Result<Self> {
        use rusqlite::OpenFlags;
        let access = if writes { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
        let connection = rusqlite::Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(LOCK_PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(READY);
        Ok(Self::Sqlite(connection))
    }

    /// Connects to a server.
    pub(super) async fn server(options: &PgConnectOptions) -> Result<Self> {
        Ok(Self::Postgres(options.connect().await?))
    }

    /// Runs statements without parameters, one after another.
    pub(super) async fn batch(&mut self, statements: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(statements)?,
            Self::Postgres(connection) => {
                sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await?;
            }
        }
        Ok(())
    }

    /// Itself, if it still is one.
    pub(super) async fn alive(mut self) -> Option<Self> {
        match &mut self {
            Self::Sqlite(_) => Some(self),
            Self::Postgres(connection) => connection.ping().await.is_ok().then_some(self),
        }
    }

    pub(super) async fn close(self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().map_err(|(_, error)| error.into()),
            Self::Postgres(connection) => Ok(connection.close().await?),
        }
    }
}

/// A statement, to which its parameters are to be bound.
pub(super) fn query(sql: impl Into<Cow<'static, str>>) -> Query {
    Query { sql: sql.into(), parameters: Vec::new() }
}

/// A statement with its parameters.
pub(super) struct Query {
    sql: Cow<'static, str>,
    parameters: Vec<Parameter>,
}

/// A parameter, or its absence. `PostgreSQL` must know the type of what is absent, too.
pub(super) enum Parameter {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

macro_rules! parameters {
    ($($from:ty, $value:ident => $parameter:expr;)*) => {
        $(impl From<$from> for Parameter {
            fn from($value: $from) -> Self {
                $parameter
            }
        })*
    };
}

parameters! {
    i64, value => Self::Integer(Some(value));
    Option<i64>, value => Self::Integer(value);
    String, value => Self::Text(Some(value));
    &String, value => Self::Text(Some(value.clone()));
    &str, value => Self::Text(Some(value.to_owned()));
    Option<String>, value => Self::Text(value);
    &Option<String>, value => Self::Text(value.clone());
    Option<&str>, value => Self::Text(value.map(str::to_owned));
    &Vec<u8>, value => Self::Bytes(Some(value.clone()));
}

impl Query {
    /// The next parameter: `$1`, then `$2`, and so on.
    pub(super) fn bind(mut self, parameter: impl Into<Parameter>) -> Self {
        self.parameters.push(parameter.into());
        self
    }

    /// Runs it; how many rows it changed.
    pub(super) async fn execute(self, connection: &mut Connection) -> Result<u64> {
        match connection {
            Connection::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&self.sql)?;
                self.bind_to(&mut statement)?;
                Ok(u64::try_from(statement.raw_execute()?).unwrap_or(u64::MAX))
            }
            Connection::Postgres(connection) => Ok(self.for_postgres().execute(connection).await?.rows_affected()),
        }
    }

    /// Its rows.
    pub(super) async fn all(self, connection: &mut Connection) -> Result<Vec<Row>> {
        match connection {
            Connection::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&self.sql)?;
                self.bind_to(&mut statement)?;
                let mut names: Option<Arc<[String]>> = None;
                let mut found = Vec::new();
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    // Of a row, not of the statement: that is made anew where the schema has changed meanwhile.
                    let columns = names.get_or_insert_with(|| row.as_ref().column_names().map(str::to_owned).collect());
                    let values = (0..columns.len()).map(|at| row.get::<_, Value>(at));
                    found.push(Row { columns: Arc::clone(columns), values: values.collect::<rusqlite::Result<_>>()? });
                }
                Ok(found)
            }
            Connection::Postgres(connection) => {
                let rows = self.for_postgres().fetch_all(connection).await?;
                let Some(first) = rows.first() else { return Ok(Vec::new()) };
                let columns: Arc<[String]> = first.columns().iter().map(|column| column.name().to_owned()).collect();
                rows.iter().map(|row| Row::from_postgres(row, &columns)).collect()
            }
        }
    }

    /// Its first row, if there is one.
    pub(super) async fn first(self, connection: &mut Connection) -> Result<Option<Row>> {
        Ok(self.all(connection).await?.into_iter().next())
    }

    /// Its row.
    pub(super) async fn one(self, connection: &mut Connection) -> Result<Row> {
        self.first(connection).await?.ok_or(Error::NoRow)
    }

    fn bind_to(&self, statement: &mut rusqlite::Statement<'_>) -> Result<()> {
        for (name, parameter) in PARAMETERS.iter().zip(&self.parameters) {
            // SQLite counts them as they come in the statement, so they are told apart by name.
            if let Some(index) = statement.parameter_index(name)? {
                statement.raw_bind_parameter(index, parameter)?;
            }
        }
        Ok(())
    }

    fn for_postgres(self) -> sqlx::query::Query<'static, Postgres, PgArguments> {
        let query = match self.sql {
            Cow::Borrowed(sql) => sqlx::query(sql),
            Cow::Owned(sql) => sqlx::query(AssertSqlSafe(sql)),
        };
        self.parameters.into_iter().fold(query, |query, parameter| match parameter {
            Parameter::Integer(value) => query.bind(value),
            Parameter::Text(value) => query.bind(value),
            Parameter::Bytes(value) => query.bind(value),
        })
    }
}

impl rusqlite::ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(Some(value)) => ValueRef::Integer(*value),
            Self::Text(Some(value)) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(Some(value)) => ValueRef::Blob(value),
            Self::Integer(None) | Self::Text(None) | Self::Bytes(None) => ValueRef::Null,
        }))
    }
}

/// A row of either engine.
pub(super) struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    fn from_postgres(row: &PgRow, columns: &Arc<[String]>) -> Result<Self> {
        let value = |(at, column): (usize, &sqlx::postgres::PgColumn)| {
            Ok(match column.type_info().name() {
                "INT8" => row.try_get::<Option<i64>, _>(at)?.map_or(Value::Null, Value::Integer),
                "INT4" => row.try_get::<Option<i32>, _>(at)?.map_or(Value::Null, |value| Value::Integer(value.into())),
                "BYTEA" => row.try_get::<Option<Vec<u8>>, _>(at)?.map_or(Value::Null, Value::Blob),
                _ => row.try_get::<Option<String>, _>(at)?.map_or(Value::Null, Value::Text),
            })
        };
        let values = row.columns().iter().enumerate().map(value).collect::<Result<_>>()?;
        Ok(Self { columns: Arc::clone(columns), values })
    }

    /// A column by its name.
    pub(super) fn get<T: Readable>(&self, column: &str) -> Result<T> {
        let at = self.columns.iter().position(|name| name == column);
        let value = at.and_then(|at| self.values.get(at));
        value.and_then(T::of).ok_or_else(|| Error::Unreadable(format!("column {column}")))
    }

    /// The only column.
    pub(super) fn only<T: Readable>(&self) -> Result<T> {
        self.values.first().and_then(T::of).ok_or_else(|| Error::Unreadable("the only column".to_owned()))
    }
}

/// What a column may hold.
pub(super) trait Readable: Sized {
    /// The value, if it is of this type.
    fn of(value: &Value) -> Option<Self>;
}

impl Readable for i64 {
    fn of(value: &Value) -> Option<Self> {
        if let Value::Integer(value) = value { Some(*value) } else { None }
    }
}

impl Readable for String {
    fn of(value: &Value) -> Option<Self> {
        if let Value::Text(value) = value { Some(value.clone()) } else { None }
    }
}

impl Readable for Vec<u8> {
    fn of(value: &Value) -> Option<Self> {
        if let Value::Blob(value) = value { Some(value.clone()) } else { None }
    }
}

impl<T: Readable> Readable for Option<T> {
    fn of(value: &Value) -> Option<Self> {
        if matches!(value, Value::Null) { Some(None) } else { T::of(value).map(Some) }
    }
}
